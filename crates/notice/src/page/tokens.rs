//! The tokens of a page, from `html5gum`, for the tree builder of `html5ever`: its own tokenizer takes a page character by character,
//! which costs more than the tree.

use std::borrow::Cow;

use html5ever::{
    Attribute as Parsed, LocalName, QualName, local_name, ns,
    tendril::StrTendril,
    tokenizer::{Doctype, Tag, TagKind, Token, TokenSink, TokenSinkResult, states::RawKind},
};
use html5gum::{
    Emitter, ForwardingEmitter, Span, State,
    emitters::callback::{Callback, CallbackEmitter, CallbackEvent},
};

use super::{
    bounded::{Builder, Metered},
    tree::Attribute,
};
use crate::failure::Failure;

/// Bytes of a text that are handed on between two looks at the meter: in a table each word of it may be put elsewhere.
const PIECE: usize = 4096;

/// Hands the tokens of a page to the tree builder, until the meter stops them.
pub(super) struct Tokens<'builder>(CallbackEmitter<Assembly<'builder>, Failure>);

impl<'builder> Tokens<'builder> {
    pub(super) fn new(builder: &'builder Builder) -> Self {
        Self(CallbackEmitter::new(Assembly { builder, tag: None, state: None }))
    }
}

impl ForwardingEmitter for Tokens<'_> {
    type Token = Failure;

    fn inner(&mut self) -> &mut impl Emitter<Token = Failure> {
        &mut self.0
    }

    /// Nobody reads the errors of a page: to look for them takes as long as the rest.
    fn should_emit_errors(&mut self) -> bool {
        false
    }

    fn emit_current_tag(&mut self) -> Option<State> {
        let naive = self.0.emit_current_tag();
        self.0.callback_mut().state.take().or(naive)
    }

    fn adjusted_current_node_present_but_not_in_html_namespace(&mut self) -> bool {
        self.0.callback_mut().builder.adjusted_current_node_present_but_not_in_html_namespace()
    }
}

/// Puts tokens together of their parts.
struct Assembly<'builder> {
    builder: &'builder Builder,
    tag: Option<StartTag>,
    /// The state in which the content of the last tag is read, if it has one of its own.
    state: Option<State>,
}

/// A start tag whose end has not come yet.
struct StartTag {
    name: LocalName,
    attributes: Vec<Parsed>,
    /// The attributes so far, those that nobody reads too.
    count: usize,
    /// `true` if the tree builder may read or compare any of them.
    is_read_by_builder: bool,
    /// `true` if the value that follows is of the last attribute.
    has_value: bool,
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
                | local_name!("li")
                | local_name!("ol")
                | local_name!("p")
                | local_name!("span")
                | local_name!("table")
                | local_name!("tbody")
                | local_name!("td")
                | local_name!("th")
                | local_name!("tr")
                | local_name!("ul")
        );
        Self { name, attributes: Vec::new(), count: 0, is_read_by_builder, has_value: false }
    }

    /// Adds an attribute with an empty value. The first of a name counts.
    fn add(&mut self, name: &[u8], meter: &Metered) {
        meter.compare(self.count);
        self.count += 1;
        self.has_value = self.is_read_by_builder || Attribute::is_read(name);
        if self.has_value {
            let name = local_name(name);
            self.has_value = !self.attributes.iter().any(|known| known.name.local == name);
            if self.has_value {
                self.attributes.push(Parsed { name: QualName::new(None, ns!(), name), value: StrTendril::new() });
            }
        }
    }

    fn into_tag(self, self_closing: bool) -> Tag {
        let Self { name, attributes: attrs, .. } = self;
        Tag { kind: TagKind::StartTag, name, self_closing, attrs, had_duplicate_attributes: false }
    }
}

impl Assembly<'_> {
    fn pass_on(&mut self, token: Token) -> Option<Failure> {
        // Nobody asks for the number of a line.
        self.state = match self.builder.process_token(token, 1) {
            TokenSinkResult::Continue | TokenSinkResult::EncodingIndicator(_) => None,
            TokenSinkResult::Script(_) => Some(State::Data),
            TokenSinkResult::Plaintext => Some(State::PlainText),
            TokenSinkResult::RawData(RawKind::Rcdata) => Some(State::RcData),
            TokenSinkResult::RawData(RawKind::Rawtext) => Some(State::RawText),
            TokenSinkResult::RawData(RawKind::ScriptData | RawKind::ScriptDataEscaped(_)) => Some(State::ScriptData),
        };
        self.builder.sink.check().err()
    }

    fn pass_on_text(&mut self, text: &str) -> Option<Failure> {
        let mut rest = text;
        while !rest.is_empty() {
            let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
            rest = behind;
            for (index, part) in piece.split('\0').enumerate() {
                let null = if index > 0 { self.pass_on(Token::NullCharacterToken) } else { None };
                let failure = null.or_else(|| self.pass_on(Token::CharacterTokens(StrTendril::from_slice(part))));
                if failure.is_some() {
                    return failure;
                }
            }
        }
        None
    }
}

impl Callback<Failure, ()> for Assembly<'_> {
    fn handle_event(&mut self, event: CallbackEvent<'_>, _: Span<()>) -> Option<Failure> {
        match event {
            CallbackEvent::OpenStartTag { name } => self.tag = Some(StartTag::new(local_name(name))),
            CallbackEvent::AttributeName { name } => {
                // End tags may have some too, which count for nothing.
                self.tag.as_mut()?.add(name, &self.builder.sink);
                return self.builder.sink.check().err();
            }
            CallbackEvent::AttributeValue { value } => {
                let tag = self.tag.as_mut().filter(|tag| tag.has_value)?;
                tag.attributes.last_mut()?.value.push_slice(&text(value));
            }
            CallbackEvent::CloseStartTag { self_closing } => {
                let tag = self.tag.take()?.into_tag(self_closing);
                return self.pass_on(Token::TagToken(tag));
            }
            CallbackEvent::EndTag { name } => {
                let tag = StartTag::new(local_name(name)).into_tag(false);
                return self.pass_on(Token::TagToken(Tag { kind: TagKind::EndTag, ..tag }));
            }
            CallbackEvent::String { value } => return self.pass_on_text(&text(value)),
            // Nobody reads comments: they keep their place only.
            CallbackEvent::Comment { .. } => return self.pass_on(Token::CommentToken(StrTendril::new())),
            CallbackEvent::Doctype { name, public_identifier, system_identifier, force_quirks } => {
                return self.pass_on(Token::DoctypeToken(Doctype {
                    name: Some(tendril(name)).filter(|name| !name.is_empty()),
                    public_id: public_identifier.map(tendril),
                    system_id: system_identifier.map(tendril),
                    force_quirks,
                }));
            }
            CallbackEvent::Error(_) => {}
        }
        None
    }
}

/// Returns a part of a text, which is one as well: it begins and ends beside a mark of ASCII.
fn text(part: &[u8]) -> Cow<'_, str> {
    str::from_utf8(part).map_or_else(|_| String::from_utf8_lossy(part), Cow::Borrowed)
}

fn tendril(part: &[u8]) -> StrTendril {
    StrTendril::from_slice(&text(part))
}

fn local_name(part: &[u8]) -> LocalName {
    LocalName::from(&*text(part))
}

#[cfg(test)]
mod tests {
    use html5ever::tendril::TendrilSink;
    use proptest::prelude::*;

    use super::{
        super::{
            bounded::parse,
            tree::{Step, Tree},
        },
        *,
    };

    /// Returns the tree in lines: a mark, and the name with its attributes or the text.
    fn outline(tree: &Tree) -> Vec<String> {
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

    /// Parses a page with the tokenizer of `html5ever`.
    fn parse_as_reference(html: &str) -> Tree {
        html5ever::parse_document(Metered::new(0), html5ever::ParseOpts::default()).one(html)
    }

    /// Parts of pages, sound ones and broken ones, in which the rules of the standard differ.
    #[rustfmt::skip]
    const PARTS: &[&str] = &[
        "<!DOCTYPE html>", "<!doctype HTML PUBLIC \"-//W3C//DTD HTML 4.01//EN\" 'x'>", "<!DOCTYPE>", "<!doctype",
        "<html lang=en>", "<head>", "<title>a &amp; <b>c</title>", "<style>p { x: \"</p>\" }</style>", "<style>",
        "</style", "<script>if (a<b) {}<!-- <script> --></script>", "<script>",
        "<body style='display:none' bgcolor=red>", "<body hidden>", "<textarea>\n\n&lt;</textarea>", "<noscript><p>",
        "<plaintext>", "<table><tr><td colspan=2 rowspan=\"3\">", "</td>", "<table width=1>", "</tr>", "</table>",
        "<tbody>", "<th>", "<caption>", "<col style=a>", "<p>", "</p>", "<P CLASS=a STYLE=\"x\">", "<b>", "</b>",
        "<i>", "</i>", "<font color=red>", "<font size='2'>", "<a href=\"x?a=1&copy=2&amp;lt&gt;\">", "</a>",
        "<nobr>", "<div style=a style=b hidden>", "</div>", "<span/>", "<br/>", "</br>", "<img src=\"a>b\" alt='c'>",
        "<hr", "<input type=hidden>", "<select><option>", "</select>", "<template>", "</template>", "<pre>\n",
        "</pre>", "<ul><li>", "<h1>", "</h2>", "<button>", "<svg>", "<math>", "<mi>",
        "<annotation-xml encoding='text/html'>", "<foreignObject>", "<desc>", "</svg>", "<![CDATA[a<b>&amp;]]>",
        "<![if !mso]>", "<![endif]>", "<!-- a -- b -->", "<!-->", "<!--->", "<!-- a --!>", "<!--", "--",
        "<?xml version=1?>", "<?", "</>", "</ p>", "<o:p></o:p>", "<>", "<1", "< p", "<p a='1'b=2 = c==d \"e'>",
        "<p a=\"", "\"", "'", "=", "/", ">", "<", "&nbsp;", "&amp", "&ampx", "&notit;", "&not", "&#160;", "&#x80;",
        "&#0;", "&#xD800;", "&#99999999999;", "&#", "&#x", "&", "&x;", "&notin", "&CounterClockwiseContourIntegral;",
        "text", " ", "\n", "\r\n", "\r", "\t", "\0", "\u{c}", "\u{1}", "ü", "\u{1f600}", "<frameset>", "<frame>",
        "<form>", "</form>", "<marquee>", "<iframe><p></iframe>", "<noembed>", "<xmp>", "</xmp>", "</html>",
        "</body>",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        #[test]
        fn a_page_has_the_tree_that_the_tokenizer_beside_the_tree_builder_makes(
            has_mark in any::<bool>(),
            parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..24),
        ) {
            let html = format!("{}{}", if has_mark { "\u{feff}" } else { "" }, parts.concat());
            let tree = parse(&html).unwrap();
            prop_assert_eq!(outline(&tree), outline(&parse_as_reference(&html)), "{:?}", html);
        }
    }
}
