//! Names of a maintenance's events: `ID`, `ID #2`, `ID #3`, ….

/// Returns the name of the event for the window with that number, counted from 1.
pub fn event_name(id: &str, number: usize) -> String {
    if number > 1 { format!("{id} #{number}") } else { id.to_owned() }
}

/// Returns the number of the window that an event's name states, or `None` if the event belongs to another maintenance.
///
/// ```
/// use schedule::name::{event_name, window_number};
///
/// assert_eq!(event_name("CHG-1", 2), "CHG-1 #2");
/// assert_eq!(window_number("CHG-1", "CHG-1 #2"), Some(2));
/// assert_eq!(window_number("CHG-1", "CHG-10"), None);
/// ```
pub fn window_number(id: &str, name: &str) -> Option<usize> {
    let rest = name.strip_prefix(id)?;
    if rest.is_empty() {
        return Some(1);
    }
    let number: usize = rest.strip_prefix(" #")?.parse().ok()?;
    (number > 1 && event_name(id, number) == name).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_its_number_belong_together() {
        for number in [1, 2, 10, 1000] {
            assert_eq!(window_number("CHG 1", &event_name("CHG 1", number)), Some(number));
        }
        for other in ["CHG 1 #1", "CHG 1 #02", "CHG 1 #+2", "CHG 1 #", "CHG 12", "CHG 1 #2 #3", "CHG"] {
            assert_eq!(window_number("CHG 1", other), None, "{other}");
        }
    }
}
