//! Was a part cut short that no boundary closes? Mail programs and people drop the end of a multipart when they save a
//! mail or take its pictures out, so that a missing boundary alone does not tell: the page that stands last does.

/// Elements that a whole page closes as often as it opens them, but for so many.
///
/// Gmail wraps a forwarded page in two more `div`, which are lost when what stands around it is taken out.
const CLOSED: [(&str, i32); 8] =
    [("html", 0), ("body", 0), ("div", 2), ("table", 0), ("tr", 0), ("td", 0), ("blockquote", 0), ("span", 0)];

/// Whether a page is whole: it ends with an end tag, and every element of [`CLOSED`] is closed.
pub(super) fn is_whole_page(page: &str) -> bool {
    let mut open = [0_i32; CLOSED.len()];
    let mut ends_closed = false;
    let mut rest = page.trim_end();
    while let Some((_, after)) = rest.split_once('<') {
        let end = if after.starts_with("!--") { "-->" } else { ">" };
        let Some((tag, below)) = after.split_once(end) else { return false };
        rest = below;
        let (name, step) = tag.strip_prefix('/').map_or((tag, 1), |name| (name, -1));
        let name = name.split(|next: char| !next.is_ascii_alphanumeric()).next().unwrap_or_default();
        let known = CLOSED.iter().position(|(known, _)| known.eq_ignore_ascii_case(name));
        if let Some(count) = known.and_then(|at| open.get_mut(at)) {
            *count += if tag.ends_with('/') { 0 } else { step };
        }
        ends_closed = step < 0 && known.is_some() && rest.is_empty();
    }
    ends_closed && open.iter().zip(CLOSED).all(|(count, (_, spare))| *count <= spare)
}

#[cfg(test)]
mod tests {
    use super::is_whole_page;

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
}
