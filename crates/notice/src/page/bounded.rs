//! Parsing HTML in bounded time and memory.
//!
//! The HTML standard's error recovery is quadratic: unclosed formatting elements are opened again in every paragraph,
//! scopes are searched from the innermost element to the outermost, a tag's attributes are compared pairwise. A mail of
//! 1 MB can so ask for hours. So behind each token, or each small piece of what [`tokens`] leaves to the tokenizer of `html5ever`,
//! what the page has cost is compared with what a page that a person wrote can cost.

use html5ever::{
    ParseOpts,
    driver::parse_document,
    tendril::{StrTendril, TendrilSink},
};

use super::{metered::Metered, standard::Standard, tokens, tree::Tree};
use crate::failure::Failure;

/// Bytes that are fed between two looks at the meter. The depth before a piece bounds the cost of the piece.
const PIECE: usize = 4096;

/// Parses a page, or says that it would grow out of proportion.
pub(super) fn parse(html: &str) -> Result<Tree, Failure> {
    let mut parser = parse_document(Metered::new(), ParseOpts::default());
    let mut rest = tokens::hand_on(&mut Standard::new(&mut parser), html)?;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
        rest = behind;
        parser.process(StrTendril::from_slice(piece));
        parser.tokenizer.sink.sink.check_piece(piece)?;
    }
    Ok(parser.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::FailureKind;

    fn is_refused(html: &str) {
        assert_eq!(parse(html).map(drop).unwrap_err().kind, FailureKind::TooLarge);
    }

    #[test]
    fn deep_nesting_is_refused() {
        for tag in ["<div>", "<span>", "<b>", "<table><tr><td>", "<svg>", "<template>"] {
            is_refused(&tag.repeat(100_000));
        }
    }

    #[test]
    fn formatting_that_is_opened_again_in_every_paragraph_is_refused() {
        let paragraphs: Vec<_> = (0..50_000).map(|number| format!("<p><b c{number}></p>")).collect();
        is_refused(&paragraphs.concat());
    }

    #[test]
    fn one_tag_with_very_many_attributes_is_refused() {
        let attributes: Vec<_> = (0..100_000).map(|number| format!("a{number}")).collect();
        is_refused(&format!("<p {}>", attributes.join(" ")));
    }

    #[test]
    fn a_large_comment_and_a_large_inline_image_are_not_in_the_way() {
        let comment = format!("<!--[if mso]>{}<![endif]-->", "<w:LsdException Name=\"a b\"/> ".repeat(1_000));
        let line = "iVBORw0KGgo/AAAANSUhEUgAAAAUAiVBORw0KGgoAAAANSUhEUgAAAAUAiVBORw0KGgoAAAANS\n";
        let image = format!("<img src=\"data:image/png;base64,{}\">", line.repeat(13_000));
        assert!(parse(&format!("{comment}{image}<p>text</p>")).is_ok());
    }

    #[test]
    fn long_text_is_not_in_the_way() {
        for text in ["word, ", "&amp; ", "a/b\n"] {
            let text = text.repeat(60_000);
            assert!(parse(&format!("<p>{text}</p>")).is_ok());
            assert!(parse(&format!("<pre>{text}</pre>")).is_ok());
        }
    }

    #[test]
    fn a_long_table_is_not_in_the_way() {
        assert!(parse(&format!("<table>{}</table>", "<tr><td>one<td>two".repeat(20_000))).is_ok());
    }
}
