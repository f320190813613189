//! Was a part cut short that no boundary closes? Mail programs and people drop the end of a multipart when they save a
//! mail or take its pictures out, so that a missing boundary alone does not tell: the page that stands last does. A mail
//! that is nothing but a page has no boundary at all.

use memchr::{memchr, memmem};

use super::Ending;

/// Elements that a complete page closes as often as it opens them, with the number that may be missing.
///
/// Gmail wraps a forwarded page in two more `div`, which are lost when its surroundings are removed.
const CLOSED: [(&str, i32); 8] =
    [("html", 0), ("body", 0), ("div", 2), ("table", 0), ("tr", 0), ("td", 0), ("blockquote", 0), ("span", 0)];

/// Length of the longest name in [`CLOSED`].
const LONGEST: usize = 10;

fn ends_with_html(page: &str) -> bool {
    let page = page.trim_end().as_bytes();
    page.len().checked_sub(7).and_then(|at| page.get(at..)).is_some_and(|end| end.eq_ignore_ascii_case(b"</html>"))
}

/// Counts of a page's tags.
pub(super) struct Tags {
    /// Number of open elements, for each of [`CLOSED`].
    open: [i32; CLOSED.len()],
    /// `true` if the page ends with an end tag of one of them.
    ends_closed: bool,
    /// `true` if another element begins beside one that was closed.
    begins_again: bool,
}

impl Tags {
    /// Returns `true` if a page is complete: it ends with an end tag, and every element of [`CLOSED`] is closed.
    pub(super) fn is_whole_page(&self) -> bool {
        self.ends_closed && self.open.iter().zip(CLOSED).all(|(count, (_, spare))| *count <= spare)
    }

    /// Returns how their page ends, which is the whole body. No `div` may be missing here.
    pub(super) fn ending(&self, page: &str) -> Ending {
        // Writers forget many end tags, but nothing follows this one.
        if self.ends_closed && ends_with_html(page) {
            return Ending::Closed;
        }
        if !self.ends_closed || self.open.iter().any(|count| *count > 0) {
            Ending::Open
        } else if self.begins_again {
            Ending::Balanced
        } else {
            Ending::Closed
        }
    }

    /// Returns `true` if a page stops within a table, the one element whose end tag is mandatory and always written.
    pub(super) fn stops_in_table(&self) -> bool {
        let table = CLOSED.iter().position(|(name, _)| *name == "table");
        table.and_then(|at| self.open.get(at).copied()).is_some_and(|count| count > 0)
    }

    /// Counts the tags of a page.
    pub(super) fn of(page: &str) -> Self {
        let mut tags = Self { open: [0; CLOSED.len()], ends_closed: false, begins_again: false };
        let (mut was_closed, mut all_open) = (false, 0);
        let mut rest = page.trim_end().as_bytes();
        while let Some((_, after)) = memchr(b'<', rest).and_then(|at| rest.split_at_checked(at + 1)) {
            let end = if after.starts_with(b"!--") {
                memmem::find(after, b"-->").map(|at| (at, at + 3))
            } else {
                memchr(b'>', after).map(|at| (at, at + 1))
            };
            let Some((tag, below)) = end.and_then(|(at, end)| Some((after.get(..at)?, after.get(end..)?))) else {
                tags.ends_closed = false;
                break;
            };
            rest = below;
            let (name, step) = tag.strip_prefix(b"/").map_or((tag, 1), |name| (name, -1));
            let length = name.iter().take(LONGEST + 1).take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let name = name.get(..length).unwrap_or_default();
            let known = CLOSED.iter().position(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name));
            if let Some(count) = known.and_then(|at| tags.open.get_mut(at)) {
                let opened = if tag.ends_with(b"/") { 0 } else { step };
                *count += opened;
                all_open += opened;
                tags.begins_again |= was_closed && step > 0;
                was_closed = all_open <= 0;
            }
            tags.ends_closed = step < 0 && known.is_some() && rest.is_empty();
        }
        tags
    }
}

#[cfg(test)]
mod tests {
    use super::{Ending, Tags};

    fn is_whole_page(page: &str) -> bool {
        Tags::of(page).is_whole_page()
    }

    fn stops_in_table(page: &str) -> bool {
        Tags::of(page).stops_in_table()
    }

    #[test]
    fn a_whole_page_closes_what_it_opens() {
        for whole in [
            "<div>a<br></div>\n",
            "<html><body><table><tr><td>a</td></tr></table></body></html>",
            "<div>a</div><!-- <div> --><DIV></DIV>",
            "<div><div>signature</div><div>quoted<div>a</div></div>",
        ] {
            assert!(is_whole_page(whole), "{whole}");
        }
        for cut in [
            "<div>a",
            "<div>a</div",
            "<div>a</div> and",
            "<div><div><div><div>a</div>",
            "<html><body><p>a</p>",
            "<table><tr><td>a</td></tr>",
            "<div></div><!--",
            "a",
            "",
        ] {
            assert!(!is_whole_page(cut), "{cut}");
        }
    }

    #[test]
    fn of_elements_side_by_side_more_may_have_come() {
        for (page, expected) in [
            ("<div>a<br></div>\n", Ending::Closed),
            ("<html><div></div><div></div></html></div>", Ending::Closed),
            ("a<table><tr><td>b</td></tr></table>", Ending::Closed),
            ("<html><div><span>a</HTML>\n", Ending::Closed),
            ("<div>a</div><div>b</div>", Ending::Balanced),
            ("<div><div>a</div>", Ending::Open),
            ("<html><div></div>", Ending::Open),
            ("<p>a</p>", Ending::Open),
            ("", Ending::Open),
        ] {
            assert_eq!(Tags::of(page).ending(page), expected, "{page}");
        }
    }

    #[test]
    fn a_table_is_always_closed() {
        assert!(stops_in_table("<html><table><tr><td>a"));
        assert!(stops_in_table("<table><tr><td><table></table></td>"));
        assert!(!stops_in_table("<table><tr><td>a</table><p>b"));
        assert!(!stops_in_table("</table>") && !stops_in_table(""));
    }
}
