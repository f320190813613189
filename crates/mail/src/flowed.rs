//! `format=flowed` (RFC 3676): a line of text/plain that ends with a blank continues on the next, so that a program
//! may show a paragraph in any width. A value that was broken like this is joined again here.

/// The kinds of flowed text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    /// The blank at the end of a line is part of the text.
    Kept,
    /// The blank is not part of the text: `delsp=yes`, for languages without blanks.
    Deleted,
}

impl Flow {
    /// Reads the kind from the parameters of a `Content-Type`; `None` if the text does not flow.
    pub(super) fn of(format: Option<&str>, delsp: Option<&str>) -> Option<Self> {
        let is = |value: Option<&str>, word: &str| value.is_some_and(|value| value.trim().eq_ignore_ascii_case(word));
        is(format, "flowed").then(|| if is(delsp, "yes") { Self::Deleted } else { Self::Kept })
    }
}

/// Returns the text in its own lines. Line ends are LF, before and after.
pub(super) fn unwrapped(text: &str, flow: Flow) -> String {
    let mut whole = String::with_capacity(text.len());
    // The quotation depth of the line that continues.
    let mut goes_on: Option<usize> = None;
    for line in text.split_inclusive('\n') {
        let (line, end) = line.strip_suffix('\n').map_or((line, ""), |line| (line, "\n"));
        let words = line.trim_start_matches('>');
        let depth = line.len() - words.len();
        let is_signature = matches!(words, "-- " | " -- ");
        // A line that begins with a blank, with `>` or like a header of an mbox file was given one more blank.
        let stuffed = words.strip_prefix(' ').unwrap_or(words);
        // Writers end lines with a blank by accident; a blank line separates paragraphs all the same.
        if goes_on == Some(depth) && !is_signature && !stuffed.is_empty() {
            whole.push_str(stuffed);
        } else {
            if goes_on.is_some() {
                end_line(&mut whole);
            }
            if depth > 0 {
                whole.extend(std::iter::repeat_n('>', depth));
                whole.push(' ');
            }
            whole.push_str(stuffed);
        }
        goes_on = (stuffed.ends_with(' ') && !is_signature && !end.is_empty()).then_some(depth);
        match (goes_on, flow) {
            (Some(_), Flow::Deleted) => whole.truncate(whole.len() - 1),
            (Some(_), Flow::Kept) => {}
            (None, _) => whole.push_str(end),
        }
    }
    whole
}

fn end_line(whole: &mut String) {
    whole.truncate(whole.trim_end_matches(' ').len());
    whole.push('\n');
}

#[cfg(test)]
mod tests {
    use super::{Flow, unwrapped};

    #[test]
    fn lines_that_end_with_a_blank_go_on_below() {
        for (flowed, whole) in [
            ("Start: 3 Mar \n2031 \n22:00\nEnd: x\n", "Start: 3 Mar 2031 22:00\nEnd: x\n"),
            ("> Start: 3 Mar \n> 2031\n>> b \nc\n", "> Start: 3 Mar 2031\n>> b\nc\n"),
            (" From us\n  a\n >b\n", "From us\n a\n>b\n"),
            ("Bye \n-- \nNOC \nof us\n", "Bye\n-- \nNOC of us\n"),
            ("a \n\nb\n \n \n", "a\n\nb\n\n\n"),
            ("cut ", "cut "),
            ("", ""),
        ] {
            assert_eq!(unwrapped(flowed, Flow::Kept), whole, "{flowed:?}");
        }
        assert_eq!(unwrapped("日本 \n語\n", Flow::Deleted), "日本語\n");
    }

    #[test]
    fn only_what_says_so_flows() {
        assert_eq!(Flow::of(None, Some("yes")), None);
        assert_eq!(Flow::of(Some("fixed"), None), None);
        assert_eq!(Flow::of(Some("Flowed"), None), Some(Flow::Kept));
        assert_eq!(Flow::of(Some("flowed"), Some("YES")), Some(Flow::Deleted));
    }
}
