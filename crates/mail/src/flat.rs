//! HTML → lines, just good enough to find quoted headers in it. Notices are read with `maintenance::page`.

/// Size limit of the HTML that is read, in bytes.
const LONGEST: usize = 512 * 1024;

/// HTML elements that are on lines of their own.
const BLOCKS: [&str; 12] = ["p", "div", "tr", "table", "li", "ul", "h1", "h2", "h3", "hr", "blockquote", "pre"];

/// Returns the text of a page: a line per block, table row or line break; cells are separated by a space. A line is
/// blank where a reader sees one, through two line breaks or a paragraph of a no-break space.
pub(super) fn lines(page: &str) -> Vec<String> {
    placed_lines(page).0
}

/// Returns the lines with the byte at which each begins.
pub(super) fn placed_lines(page: &str) -> (Vec<String>, Vec<usize>) {
    let mut starts = vec![0];
    let mut rest = page.get(..page.floor_char_boundary(LONGEST)).unwrap_or(page);
    let mut lines = vec![String::new()];
    let whole = rest.len();
    while let Some((text, after)) = rest.split_once('<') {
        push(&mut lines, text);
        let tag_start = whole - after.len() - 1;
        if let Some(comment) = after.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, below)| below);
            continue;
        }
        let Some((tag, below)) = after.split_once('>') else {
            rest = "";
            break;
        };
        rest = below;
        let name = tag.trim_start_matches('/').split([' ', '\n', '\t', '/']).next().unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "br" => lines.push(String::new()),
            name if BLOCKS.contains(&name) && lines.last().is_some_and(|line| !line.is_empty()) => {
                lines.push(String::new());
            }
            "td" | "th" => push(&mut lines, " "),
            "style" | "script" | "head" if !tag.starts_with('/') => rest = after_end(rest, name),
            _ => {}
        }
        starts.resize(lines.len(), tag_start);
    }
    push(&mut lines, rest);
    (lines, starts)
}

/// Returns the text after the end tag of that name; empty if there is none.
fn after_end<'page>(rest: &'page str, name: &str) -> &'page str {
    let ends = |at: &usize| {
        let tag = rest.get(at + 2..at + 2 + name.len());
        tag.is_some_and(|tag| tag.eq_ignore_ascii_case(name))
    };
    let found = rest.match_indices("</").map(|(at, _)| at).find(ends);
    found.and_then(|at| rest.get(at..)).unwrap_or("")
}

/// Appends text to the last line, with white space collapsed and character references resolved.
fn push(lines: &mut [String], text: &str) {
    let Some(line) = lines.last_mut() else { return };
    let text = references(text);
    for (index, word) in text.split([' ', '\n', '\t', '\r']).enumerate() {
        if index > 0 && !line.is_empty() && !line.ends_with(' ') {
            line.push(' ');
        }
        line.push_str(word);
    }
}

/// Resolves the character references that occur around addresses and subjects.
fn references(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&nbsp;", "\u{a0}"), ("&#39;", "'"), ("&#43;", "+")];
    let resolved =
        named.iter().fold(text.to_owned(), |text, (reference, character)| text.replace(reference, character));
    resolved.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_page_becomes_lines() {
        let page = "<html><head><title>x</title></head><style>p{}</style><!-- <p>no</p> --><p>From: <b>NOC</b>\n\
                    &lt;<a href=\"mailto:noc@carrier.example\">noc@carrier.example</a>&gt;<br>Subject: R&amp;D</p>\
                    <table><tr><th>Date:</th><td>today</td></tr></table>tail <unclosed";
        let expected = ["From: NOC <noc@carrier.example>", "Subject: R&D", "Date: today", "tail"];
        assert_eq!(lines(page).iter().map(|line| line.trim()).collect::<Vec<_>>(), expected);
        assert_eq!(lines("<p>a</p>\n<p>b<br><br>c</p><p>&nbsp;</p><p>d</p>"), ["a", "b", "", "c", "\u{a0}", "d", ""]);
    }

    #[test]
    fn anything_has_lines() {
        for page in ["", "<", "<>", "</", "<!--", "<style>", "<style></", "&", "&amp", "a<b"] {
            let _ = lines(page);
        }
        assert_eq!(lines("<style>a</style><script>b"), [""]);
    }
}
