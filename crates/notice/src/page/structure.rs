//! A page reduced to its structure, for the screens of other people: tags of an allow list without their attributes, and
//! escaped text.
//!
//! It is safe by its grammar, however a browser reads it again: every `<` of the result begins a tag of [`KEPT`], and the only
//! attributes are the numbers of columns and rows that a cell spans.

use std::fmt::Write as _;

use super::{
    bounded,
    tree::{Attribute, Element, Step},
};
use crate::failure::Failure;

/// The elements that are kept, in alphabetical order.
const KEPT: [&str; 41] = [
    "b",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "code",
    "dd",
    "del",
    "div",
    "dl",
    "dt",
    "em",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "ins",
    "li",
    "ol",
    "p",
    "pre",
    "s",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "ul",
];

/// The elements that are left out with their content. Of all others the text stays.
const DROPPED: [&str; 11] =
    ["head", "iframe", "noembed", "noframes", "noscript", "object", "script", "style", "template", "title", "xmp"];

/// The most columns and rows that a cell may span: HTML's own limit of columns.
const WIDEST: u16 = 1000;

/// Returns the structure of a page: no links, styles, scripts, pictures, forms or comments; a failure where the page would grow
/// without bound.
///
/// ```
/// let page = "<p onclick=x()>Window: <a href=https://x.example>tonight</a> &lt;b&gt;</p><script>x()</script>";
/// assert_eq!(notice::page::structure(page).unwrap(), "<p>Window: tonight &lt;b&gt;</p>");
/// ```
pub fn structure(html: &str) -> Result<String, Failure> {
    let document = bounded::parse(html)?;
    let mut structure = String::new();
    let mut steps = document.steps();
    while let Some(step) = steps.next() {
        match step {
            Step::Text(text) => escape_into(&mut structure, text),
            Step::Enter(element) if is_dropped(&element) => steps.skip_content(element),
            Step::Enter(element) if is_kept(&element) => open(&mut structure, &element),
            Step::Leave(element) if is_kept(&element) && has_end(&element) => {
                let _ = write!(structure, "</{}>", element.name());
            }
            Step::Enter(_) | Step::Leave(_) => {}
        }
    }
    Ok(structure)
}

/// Returns `true` for what other languages than HTML draw, and what is no text of the page.
fn is_dropped(element: &Element<'_>) -> bool {
    !element.is_html() || DROPPED.contains(&element.name())
}

fn is_kept(element: &Element<'_>) -> bool {
    KEPT.binary_search(&element.name()).is_ok()
}

fn has_end(element: &Element<'_>) -> bool {
    !matches!(element.name(), "br" | "hr")
}

fn open(structure: &mut String, element: &Element<'_>) {
    let _ = write!(structure, "<{}", element.name());
    for (span, attribute) in [("colspan", Attribute::Columns), ("rowspan", Attribute::Rows)] {
        let number = element.attribute(attribute).filter(|_| matches!(element.name(), "td" | "th"));
        if let Some(number) = number.and_then(|number| number.trim().parse::<u16>().ok()) {
            let _ = write!(structure, " {span}=\"{}\"", number.min(WIDEST));
        }
    }
    structure.push('>');
}

fn escape_into(structure: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => structure.push_str("&amp;"),
            '<' => structure.push_str("&lt;"),
            '>' => structure.push_str("&gt;"),
            letter => structure.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Asserts that a browser that reads a structure finds nothing in it but what may be there.
    fn is_harmless(structure: &str) {
        for piece in structure.split('<').skip(1) {
            let (tag, _) = piece.split_once('>').unwrap();
            let name = tag.trim_start_matches('/').split(' ').next().unwrap();
            assert!(KEPT.contains(&name), "{structure}");
        }
        for element in bounded::parse(structure).unwrap().elements() {
            let is_known = is_kept(&element) || ["html", "head", "body", "colgroup"].contains(&element.name());
            assert!(is_known && element.is_html(), "{structure}");
        }
        let spans = |attribute: &str| {
            let (name, value) = attribute.split_once("=\"").unwrap();
            ["colspan", "rowspan"].contains(&name)
                && value.trim_end_matches('"').chars().all(|digit| digit.is_ascii_digit())
        };
        let tags = structure.split('<').filter_map(|piece| piece.split('>').next());
        assert!(tags.skip(1).flat_map(|tag| tag.split(' ').skip(1)).all(spans), "{structure}");
    }

    #[test]
    fn the_list_can_be_searched() {
        assert!(KEPT.is_sorted());
    }

    #[test]
    fn cells_keep_their_numbers_and_nothing_else() {
        let cells = "<table><td colspan=2 class=c rowspan='1\" onload=x'>1<td colspan=99999>2<th COLSPAN=' 3'>3";
        let row = "<td colspan=\"2\">1</td><td>2</td><th colspan=\"3\">3</th>";
        assert_eq!(structure(cells).unwrap(), format!("<table><tbody><tr>{row}</tr></tbody></table>"));
    }

    proptest! {
        #[test]
        fn whatever_is_written_nothing_that_loads_or_acts_is_left(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "<table>", "</table>", "<tr>", "<td colspan=3 onclick=x>", "<td rowspan=\"2\"style=x>", "<b>", "</b>", "<p>",
                    "<a href=javascript:x>", "</a>", "<svg>", "</svg>", "<math>", "<mi>", "<mtext>", "<mglyph>", "<annotation-xml>",
                    "<foreignObject>", "<desc>", "<title>", "</title>", "<style>", "</style>", "<noscript>", "</noscript>",
                    "<textarea>", "</textarea>", "<xmp>", "</xmp>", "<plaintext>", "<iframe>", "</iframe>", "<noembed>",
                    "<template>", "</template>", "<select>", "<option>", "<img src=x onerror=x>", "&lt;img src=x onerror=x&gt;",
                    "<!--", "-->", "<![CDATA[", "]]>", "<form>", "<button>", "<meta http-equiv=refresh>", "<frameset>",
                    "<base href=x>", "<body onload=x>", "\"", "'", "&", "&#60;script&#62;", "text", "\0", "<", ">", "</p>",
                ]),
                0..40,
            )
        ) {
            if let Ok(structure) = structure(&parts.concat()) {
                is_harmless(&structure);
            }
        }

        #[test]
        fn whatever_text_it_is_nothing_that_loads_or_acts_is_left(html in ".{0,200}") {
            if let Ok(structure) = structure(&html) {
                is_harmless(&structure);
            }
        }
    }
}
