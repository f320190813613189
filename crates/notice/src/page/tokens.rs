//! Takes a page apart into tokens, as slices of it: the sound part of it, which is the whole of nearly every mail.
//!
//! The tokenizer of `html5ever` takes a page character by character, which costs more than its tree. This one looks for the marks
//! alone. What is seldom in a mail, scripts and other documents, it leaves to the other from there on.

use std::borrow::Cow;

use html5ever::{LocalName, tendril::StrTendril};
use memchr::{memchr, memchr2, memmem};

use super::{
    references,
    standard::{Content, Standard},
};
use crate::failure::Failure;

/// Bytes of a text that are handed on at a time: in a table each word of it may be put elsewhere.
const PIECE: usize = 4096;

/// Elements whose content, or the rest of the page behind them, has rules of its own.
const LEFT: [&str; 2] = ["script", "plaintext"];

/// Hands on the tokens of the sound part of a page, and returns the rest, which begins at a token.
pub(super) fn hand_on<'page>(standard: &mut Standard<'_>, html: &'page str) -> Result<&'page str, Failure> {
    if memchr2(b'\0', b'\r', html.as_bytes()).is_some() {
        return Ok(html);
    }
    // A mark of the order of bytes is no text of the page.
    let at = html.len() - html.strip_prefix('\u{feff}').unwrap_or(html).len();
    let mut tokens = Tokens { standard, html, whole: StrTendril::from_slice(html), at };
    while tokens.at < html.len() && tokens.next()? {}
    let at = tokens.at;
    Ok(html.get(at..).unwrap_or_default())
}

/// The way through a page.
struct Tokens<'standard, 'parser, 'page> {
    standard: &'standard mut Standard<'parser>,
    html: &'page str,
    /// The page once more, of which texts are parts.
    whole: StrTendril,
    at: usize,
}

impl<'page> Tokens<'_, '_, 'page> {
    fn rest(&self) -> &'page str {
        self.html.get(self.at..).unwrap_or_default()
    }

    /// Hands on a text and what follows it. Returns `false` at what is left to the other tokenizer.
    fn next(&mut self) -> Result<bool, Failure> {
        let rest = self.rest();
        let length = memchr(b'<', rest.as_bytes()).unwrap_or(rest.len());
        self.text(self.at + length, true)?;
        let mut marks = rest.bytes().skip(length + 1);
        match (marks.next(), marks.next()) {
            _ if length == rest.len() => Ok(true),
            (Some(letter), _) if letter.is_ascii_alphabetic() => self.start_tag(),
            (Some(b'/'), Some(letter)) if letter.is_ascii_alphabetic() => self.end_tag(self.at),
            (Some(b'/'), Some(b'>')) => {
                self.at += 3;
                Ok(true)
            }
            (Some(b'!'), _) => self.declaration(),
            (Some(b'/'), Some(_)) | (Some(b'?'), _) => self.comment(b">"),
            // No markup.
            (Some(b'/'), None) => self.plain_text(self.at + 2).map(|()| true),
            _ => self.plain_text(self.at + 1).map(|()| true),
        }
    }

    /// Hands on the text up to there.
    fn text(&mut self, end: usize, has_references: bool) -> Result<(), Failure> {
        let text = self.html.get(self.at..end).unwrap_or_default();
        match memchr(b'&', text.as_bytes()).filter(|_| has_references) {
            Some(_) => self.text_with_references(end),
            None => self.plain_text(end),
        }
    }

    fn plain_text(&mut self, end: usize) -> Result<(), Failure> {
        while let Some(text) = self.html.get(self.at..end).filter(|text| !text.is_empty()) {
            let length = text.floor_char_boundary(PIECE);
            let part = u32::try_from(self.at).ok().zip(u32::try_from(length).ok());
            let part = part.and_then(|(at, length)| self.whole.try_subtendril(at, length).ok());
            self.at += length;
            self.standard.text(part.unwrap_or_default())?;
        }
        Ok(())
    }

    fn text_with_references(&mut self, end: usize) -> Result<(), Failure> {
        let mut read = StrTendril::new();
        while let Some(text) = self.html.get(self.at..end).filter(|text| !text.is_empty()) {
            let plain = memchr(b'&', text.as_bytes()).unwrap_or(text.len());
            if read.len() + plain > PIECE {
                self.standard.text(std::mem::take(&mut read))?;
                self.plain_text(self.at + plain)?;
            } else {
                read.push_slice(text.get(..plain).unwrap_or_default());
                self.at += plain;
            }
            if let Some(behind) = text.get(plain + 1..) {
                self.at += 1 + references::read(behind, false, &mut read);
            }
        }
        self.standard.text(read)
    }

    /// Hands on a start tag, and what is no markup behind it.
    fn start_tag(&mut self) -> Result<bool, Failure> {
        let name_end = end_of_name(self.html, self.at + 1);
        let name = self.html.get(self.at + 1..name_end).unwrap_or_default();
        if LEFT.iter().any(|left| name.eq_ignore_ascii_case(left)) {
            return Ok(false);
        }
        self.standard.open(local_name(name));
        let mut tag = InTag { html: self.html, at: name_end };
        let is_closed = loop {
            match tag.part() {
                Some(Part::Attribute { name, value }) => self.standard.attribute(name, value)?,
                Some(Part::End { is_closed }) => break is_closed,
                None => return Ok(self.end_within_tag()),
            }
        };
        self.at = tag.at;
        match self.standard.start(is_closed)? {
            Content::Markup => Ok(true),
            Content::Text { has_references } => self.raw_text(name, has_references),
        }
    }

    /// Hands on the end tag that begins there. It may have attributes too, which count for nothing.
    fn end_tag(&mut self, at: usize) -> Result<bool, Failure> {
        let name_end = end_of_name(self.html, at + 2);
        let name = self.html.get(at + 2..name_end).unwrap_or_default();
        let mut tag = InTag { html: self.html, at: name_end };
        loop {
            match tag.part() {
                Some(Part::Attribute { .. }) => {}
                Some(Part::End { .. }) => break,
                None => return Ok(self.end_within_tag()),
            }
        }
        self.at = tag.at;
        self.standard.end(local_name(name)).map(|()| true)
    }

    /// Passes over a tag in which the page ends.
    fn end_within_tag(&mut self) -> bool {
        self.at = self.html.len();
        true
    }

    /// Hands on the text of an element that holds no markup, and its end tag.
    fn raw_text(&mut self, name: &str, has_references: bool) -> Result<bool, Failure> {
        let is_end = |at: &usize| {
            let behind = self.html.as_bytes().get(at + 2..).unwrap_or_default();
            behind.get(..name.len()).is_some_and(|own| own.eq_ignore_ascii_case(name.as_bytes()))
                && behind.get(name.len()).is_some_and(|next| is_space(*next) || matches!(next, b'/' | b'>'))
        };
        let end = memmem::find_iter(self.rest().as_bytes(), b"</").map(|at| self.at + at).find(is_end);
        self.text(end.unwrap_or(self.html.len()), has_references)?;
        end.map_or(Ok(true), |end| self.end_tag(end))
    }

    /// Hands on a comment or a declaration.
    fn declaration(&mut self) -> Result<bool, Failure> {
        let rest = self.rest();
        if let Some(comment) = rest.strip_prefix("<!--") {
            let is_empty = comment.starts_with('>') || comment.starts_with("->");
            self.at += if is_empty { 2 } else { 4 };
            return self.comment(if is_empty { b">" } else { b"--" });
        }
        if rest.starts_with("<![CDATA[") {
            return Ok(false);
        }
        let is_type = rest.get(2..9).is_some_and(|word| word.eq_ignore_ascii_case("doctype"));
        match memchr(b'>', rest.as_bytes()).filter(|_| is_type) {
            Some(end) => {
                self.at += end + 1;
                self.standard.doctype(rest.get(..=end).unwrap_or_default()).map(|()| true)
            }
            None if is_type => Ok(false),
            None => self.comment(b">"),
        }
    }

    /// Passes over a comment to its end, `>` or, behind two dashes, `>` or `!>`.
    fn comment(&mut self, end: &[u8]) -> Result<bool, Failure> {
        let rest = self.rest().as_bytes();
        let length = |at: usize| match rest.get(at + end.len()..).unwrap_or_default() {
            _ if end == b">" => Some(at + 1),
            [b'>', ..] => Some(at + 3),
            [b'!', b'>', ..] => Some(at + 4),
            _ => None,
        };
        // Of three dashes the last two may be the end.
        let is_dash = |at: usize| rest.get(at + end.len()) == Some(&b'-');
        let of = |at: usize| length(at).or_else(|| length(at + 1).filter(|_| is_dash(at)));
        self.at += memmem::find_iter(rest, end).find_map(of).unwrap_or(rest.len());
        self.standard.comment().map(|()| true)
    }
}

/// A part of a tag behind its name.
enum Part<'page> {
    Attribute { name: &'page str, value: &'page str },
    End { is_closed: bool },
}

/// The way through a tag.
struct InTag<'page> {
    html: &'page str,
    at: usize,
}

impl<'page> InTag<'page> {
    fn peek(&self) -> Option<u8> {
        self.html.as_bytes().get(self.at).copied()
    }

    fn skip_spaces(&mut self) {
        while self.peek().is_some_and(is_space) {
            self.at += 1;
        }
    }

    /// Returns the next part; `None` where the page ends before it does.
    fn part(&mut self) -> Option<Part<'page>> {
        loop {
            self.skip_spaces();
            match self.peek()? {
                b'>' => {
                    self.at += 1;
                    return Some(Part::End { is_closed: false });
                }
                b'/' if self.html.as_bytes().get(self.at + 1)? == &b'>' => {
                    self.at += 2;
                    return Some(Part::End { is_closed: true });
                }
                b'/' => self.at += 1,
                _ => return self.attribute(),
            }
        }
    }

    fn attribute(&mut self) -> Option<Part<'page>> {
        let start = self.at;
        // An equals sign at the beginning is of the name.
        self.at += 1;
        while !is_space(self.peek()?) && !matches!(self.peek()?, b'/' | b'>' | b'=') {
            self.at += 1;
        }
        let name = self.html.get(start..self.at)?;
        self.skip_spaces();
        if self.peek()? != b'=' {
            return Some(Part::Attribute { name, value: "" });
        }
        self.at += 1;
        self.skip_spaces();
        let value = match self.peek()? {
            quote @ (b'"' | b'\'') => {
                let start = self.at + 1;
                let length = memchr(quote, self.html.as_bytes().get(start..)?)?;
                self.at = start + length + 1;
                self.html.get(start..start + length)?
            }
            b'>' => "",
            _ => {
                let start = self.at;
                while !is_space(self.peek()?) && self.peek()? != b'>' {
                    self.at += 1;
                }
                self.html.get(start..self.at)?
            }
        };
        Some(Part::Attribute { name, value })
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\x0c')
}

fn end_of_name(html: &str, at: usize) -> usize {
    let bytes = html.as_bytes().get(at..).unwrap_or_default();
    at + bytes.iter().position(|byte| is_space(*byte) || matches!(byte, b'/' | b'>')).unwrap_or(bytes.len())
}

fn local_name(name: &str) -> LocalName {
    if name.bytes().any(|letter| letter.is_ascii_uppercase()) {
        return LocalName::from(Cow::Owned(name.to_ascii_lowercase()));
    }
    LocalName::from(name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{bounded::parse, reference};

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
        "</body>", "<a href=\"x?a=1&b=2&lt=3&lt&gt;\" href=y>", "<!--->", "<!---->", "<!-- a --->", "<!-- a --!", "<![CDATA[",
        "<!", "<!-", "</", "<p", "<p a", "<p a=", "<p a=b", "</p a='>'>", "</style >", "</STYLE/>", "</title", "<TITLE>",
        "&NotEqualTilde;", "&Aacute", "&aacutex;", "&#X41;", "&#x;", "&#128", "&lt;", "&semi;;", "&a&b", "long text, ",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn a_page_has_the_tree_that_the_tokenizer_beside_the_tree_builder_makes(
            has_mark in any::<bool>(),
            parts in proptest::collection::vec(proptest::sample::select(PARTS), 0..24),
        ) {
            let html = format!("{}{}", if has_mark { "\u{feff}" } else { "" }, parts.concat());
            let tree = parse(&html).unwrap();
            prop_assert_eq!(reference::outline(&tree), reference::outline(&reference::parse(&html)), "{:?}", html);
        }
    }

    #[test]
    fn each_part_alone_and_each_two_in_a_page_have_the_same_tree() {
        for one in PARTS {
            for other in PARTS {
                for html in [format!("{one}{other}"), format!("<body><table><tr><td>a{one}b{other}c</table>d")] {
                    let tree = parse(&html).unwrap();
                    assert_eq!(reference::outline(&tree), reference::outline(&reference::parse(&html)), "{html:?}");
                }
            }
        }
    }
}
