//! Hands tokens to the tree builder of `html5ever`, until its meter stops them.

use html5ever::{
    Attribute as Parsed, LocalName, QualName,
    driver::Parser,
    local_name, ns,
    tendril::{StrTendril, TendrilSink},
    tokenizer::{Tag, TagKind, Token, TokenSink, TokenSinkResult, states::RawKind},
};

use super::{
    metered::Metered,
    references,
    tree::{Attribute, NodeId},
};
use crate::failure::Failure;

/// The content of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Further elements and texts.
    Markup,
    /// A text up to the element's end tag, in which references stand for characters, or nothing does.
    Text { has_references: bool },
}

/// Hands the tokens of a page to the tree builder, until its meter stops them.
pub(super) struct Standard<'parser> {
    parser: &'parser mut Parser<Metered>,
    /// The start tag whose end has not come yet.
    tag: StartTag,
}

impl<'parser> Standard<'parser> {
    pub(super) fn new(parser: &'parser mut Parser<Metered>) -> Self {
        Self { parser, tag: StartTag::new(local_name!("")) }
    }

    fn meter(&self) -> &Metered {
        &self.parser.tokenizer.sink.sink
    }

    fn process(&self, token: Token) -> Result<TokenSinkResult<NodeId>, Failure> {
        // Nobody asks for the number of a line.
        let result = self.parser.tokenizer.sink.process_token(token, 1);
        self.meter().check().map(|()| result)
    }
}

/// A start tag whose end has not come yet.
struct StartTag {
    name: LocalName,
    attributes: Vec<Parsed>,
    /// Number of attributes so far, those that nobody reads too.
    count: usize,
    /// `true` if the tree builder may read or compare any of them.
    is_read_by_builder: bool,
}

impl StartTag {
    fn new(name: LocalName) -> Self {
        let is_read_by_builder = !matches!(
            name,
            local_name!("br")
                | local_name!("center")
                | local_name!("col")
                | local_name!("div")
                | local_name!("h1")
                | local_name!("h2")
                | local_name!("h3")
                | local_name!("h4")
                | local_name!("h5")
                | local_name!("h6")
                | local_name!("hr")
                | local_name!("img")
                | local_name!("li")
                | local_name!("ol")
                | local_name!("p")
                | local_name!("span")
                | local_name!("style")
                | local_name!("table")
                | local_name!("tbody")
                | local_name!("td")
                | local_name!("th")
                | local_name!("tr")
                | local_name!("ul")
        );
        Self { name, attributes: Vec::new(), count: 0, is_read_by_builder }
    }
}

impl Standard<'_> {
    /// Takes the name of a start tag, whose attributes follow.
    pub(super) fn open(&mut self, name: LocalName) {
        self.tag = StartTag::new(name);
    }

    /// Takes an attribute of the start tag, as it is written. The first of a name counts.
    pub(super) fn attribute(&mut self, name: &str, value: &str) -> Result<(), Failure> {
        self.meter().compare(self.tag.count);
        self.meter().check()?;
        self.tag.count += 1;
        if self.tag.is_read_by_builder || Attribute::named(name).is_some() {
            let name = LocalName::from(name.to_ascii_lowercase());
            if !self.tag.attributes.iter().any(|known| known.name.local == name) {
                let name = QualName::new(None, ns!(), name);
                self.tag.attributes.push(Parsed { name, value: references::value(value) });
            }
        }
        Ok(())
    }

    /// Takes the end of the start tag, and returns what its content is.
    pub(super) fn start(&mut self, is_closed: bool) -> Result<Content, Failure> {
        let StartTag { name, attributes: attrs, .. } = std::mem::replace(&mut self.tag, StartTag::new(local_name!("")));
        let (kind, self_closing) = (TagKind::StartTag, is_closed);
        let tag = Tag { kind, name, self_closing, attrs, had_duplicate_attributes: false };
        Ok(match self.process(Token::TagToken(tag))? {
            TokenSinkResult::RawData(kind) => Content::Text { has_references: kind == RawKind::Rcdata },
            _ => Content::Markup,
        })
    }

    /// Takes an end tag.
    pub(super) fn end(&mut self, name: LocalName) -> Result<(), Failure> {
        let kind = TagKind::EndTag;
        let tag = Tag { kind, name, self_closing: false, attrs: Vec::new(), had_duplicate_attributes: false };
        self.process(Token::TagToken(tag)).map(drop)
    }

    /// Takes a text, which may be empty. One text may come in several parts.
    pub(super) fn text(&mut self, text: StrTendril) -> Result<(), Failure> {
        self.process(Token::CharacterTokens(text)).map(drop)
    }

    /// Takes a comment. Nobody reads comments: they keep their place only.
    pub(super) fn comment(&mut self) -> Result<(), Failure> {
        self.process(Token::CommentToken(StrTendril::new())).map(drop)
    }

    /// Takes the declaration of the page's type as it is written, the whole of it: behind it the tokenizer of `html5ever` awaits a
    /// text again.
    pub(super) fn doctype(&mut self, written: &str) -> Result<(), Failure> {
        self.parser.process(StrTendril::from_slice(written));
        self.meter().check()
    }
}
