//! The trees that tests compare those of pages with: by the tokenizer and the tree builder of `html5ever`.

use html5ever::tendril::TendrilSink;

use super::{
    metered::Metered,
    tree::{Attribute, Step, Tree},
};

/// Returns the tree in lines: a mark, and the name with its attributes or the text.
pub(super) fn outline(tree: &Tree) -> Vec<String> {
    let line = |step: Step<'_>| match step {
        Step::Text(text) => format!("={text}"),
        Step::Enter(element) => {
            let read =
                [Attribute::Background, Attribute::Columns, Attribute::Hidden, Attribute::Rows, Attribute::Style];
            format!("<{} {} {:?}", element.name(), element.is_html(), read.map(|name| element.attribute(name)))
        }
        Step::Leave(element) => format!(">{}", element.name()),
    };
    tree.steps().map(line).collect()
}

/// Parses a page as `html5ever` does.
pub(super) fn parse(html: &str) -> Tree {
    html5ever::parse_document(Metered::new(), html5ever::ParseOpts::default()).one(html)
}
