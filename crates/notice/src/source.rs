//! The source that a provider reads: the mail, with each form of it made once and on demand.

use std::{cell::OnceCell, rc::Rc};

use jiff::Timestamp;

use super::{
    calendar::{self, Content},
    failure::Failure,
    found::{Found, Place},
    lines::Lines,
    page::Page,
    passages::{self, Told},
    provider::Provider,
};
use mail::{Ending, Mail};

/// A mail as one provider reads it.
pub struct Source<'mail> {
    mail: &'mail Mail,
    provider: &'static Provider,
    /// Shared by all who read the mail, so that a page is parsed once.
    forms: Rc<Forms>,
}

#[derive(Default)]
struct Forms {
    text: OnceCell<Option<Lines>>,
    page: OnceCell<Result<Page, Failure>>,
    text_as_page: OnceCell<Option<Result<Page, Failure>>>,
    page_is_footer: OnceCell<bool>,
    text_is_html: OnceCell<bool>,
    calendars: OnceCell<Vec<Content>>,
    further: OnceCell<Vec<Lines>>,
    told: OnceCell<Vec<Told>>,
}

/// A text that has this many times the words of the page is not the same in another form.
const FOOTER_SHARE: usize = 3;

impl<'mail> Source<'mail> {
    /// Returns the mail, read as that provider's.
    pub fn new(mail: &'mail Mail, provider: &'static Provider) -> Self {
        Self { mail, provider, forms: Rc::default() }
    }

    /// Returns the same mail, read as another provider's.
    #[must_use]
    pub fn read_as(&self, provider: &'static Provider) -> Self {
        Self { mail: self.mail, provider, forms: Rc::clone(&self.forms) }
    }

    /// Returns the provider that reads it.
    pub fn provider(&self) -> &'static Provider {
        self.provider
    }

    /// Returns the mail itself, for attachments, calendars and headers.
    pub fn mail(&self) -> &'mail Mail {
        self.mail
    }

    /// Returns the provider's own subject: of the innermost message, as written, list and forward prefixes included.
    pub fn subject(&self) -> Found<String> {
        Found::text(&self.mail.inner().subject, Place::Header("Subject"))
    }

    /// Returns the subject of the mail that arrived.
    pub fn outer_subject(&self) -> Found<String> {
        Found::text(&self.mail.outer().subject, Place::Header("Subject"))
    }

    /// Returns the first text/plain body in lines.
    pub fn text(&self) -> Result<&Lines, Failure> {
        let text = || self.mail.texts.first().filter(|_| !self.text_is_html());
        let lines = self.forms.text.get_or_init(|| text().map(|text| Lines::of_text(text)));
        lines.as_ref().ok_or_else(|| Failure::missing("a text/plain part"))
    }

    /// Returns the HTML: that of the first text/html body, or a text/plain body that is HTML all the same.
    fn html(&self) -> Option<&'mail String> {
        self.mail.pages.first().or_else(|| self.mail.texts.first().filter(|_| self.text_is_html()))
    }

    fn text_is_html(&self) -> bool {
        *self.forms.text_is_html.get_or_init(|| self.mail.texts.first().is_some_and(|text| is_html(text)))
    }

    /// Returns the first text/html body, parsed. Further ones are footers that lists add.
    pub fn page(&self) -> Result<&Page, Failure> {
        let page = self.forms.page.get_or_init(|| {
            let html = self.html().ok_or_else(|| Failure::missing("a text/html part"))?;
            Page::parse(html)
        });
        page.as_ref().map_err(Clone::clone)
    }

    /// Returns the body as a page: the page, or the plain text that was made of one, with the labels and tables that it
    /// keeps. A failure where the text does not keep the form of a table with these headings.
    pub fn view(&self, tables: &[&[&str]]) -> Result<&Page, Failure> {
        let body = self.body()?;
        let is_text = self.text().is_ok_and(|text| std::ptr::eq(text, body));
        let text = self.mail.texts.first().filter(|_| is_text);
        let Some(view) = self.forms.text_as_page.get_or_init(|| text.map(|text| Page::of_text(text))) else {
            return self.page();
        };
        let view = view.as_ref().map_err(Clone::clone)?;
        tables.iter().try_for_each(|headings| view.expect_form(headings))?;
        Ok(view)
    }

    /// Returns the body in lines, whichever form it has: the HTML part if there is one, else the text. A page that says
    /// much less than the text is no form of it, but a footer that a list adds.
    pub fn body(&self) -> Result<&Lines, Failure> {
        if self.html().is_none() {
            return self.text();
        }
        let page = self.page().map(Page::lines)?;
        let words = |lines: &Lines| lines.iter().map(|(_, line)| line.split(' ').count()).sum::<usize>();
        let is_footer = |text: &&Lines| words(text) > FOOTER_SHARE * words(page);
        let text = self.text().ok();
        let is_footer = *self.forms.page_is_footer.get_or_init(|| text.as_ref().is_some_and(is_footer));
        Ok(text.filter(|_| is_footer).unwrap_or(page))
    }

    /// Returns the calendar parts.
    pub(super) fn calendars(&self) -> &[Content] {
        self.forms.calendars.get_or_init(|| self.mail.calendars.iter().map(|text| calendar::parse(text)).collect())
    }

    /// Returns every body in lines: the first text and the first page, further ones, and those of a cover above the notice.
    pub(super) fn bodies(&self) -> impl Iterator<Item = &Lines> {
        let further = self.forms.further.get_or_init(|| {
            let Mail { texts, pages, cover, .. } = self.mail;
            let of_text = |text: &String| Lines::of_text(text);
            let of_page = |page: &String| Page::parse(page).ok().map(Page::into_lines);
            let own = texts.iter().skip(1).map(of_text).chain(pages.iter().skip(1).filter_map(of_page));
            own.chain(cover.texts.iter().map(of_text)).chain(cover.pages.iter().filter_map(of_page)).collect()
        });
        self.text().into_iter().chain(self.page().map(Page::lines)).chain(further)
    }

    /// Returns the passages that tell of changes in the notice's own words, in every form of it.
    pub(super) fn told(&self) -> &[Told] {
        self.forms.told.get_or_init(|| passages::told(self.mail, self.bodies(), self.calendars()))
    }

    /// Fails unless something closes the body, or a line of it holds one of these words, which the format has below all
    /// values. For notices in which a table, or a window, may be missing: without their end nobody knows.
    pub fn expect_whole(&self, below: &[&str]) -> Result<(), Failure> {
        let body = self.body()?;
        if self.mail.ending == Ending::Closed
            || body.iter().any(|(_, line)| below.iter().any(|words| line.contains(words)))
        {
            return Ok(());
        }
        Err(Failure::cut_short(format!("`{}` below the last value", below.join("` or `"))))
    }

    /// Returns the date of the mail that arrived: the default stamp.
    pub fn stamp(&self) -> Option<Found<Timestamp>> {
        let date = self.mail.outer().date?;
        Some(Found { value: date, place: Place::Header("Date"), quote: date.to_string() })
    }

    /// Returns the time at which the provider wrote the notice: the date of the innermost message that has one. It
    /// supplies missing years and the order of notices.
    pub fn announced_at(&self) -> Option<Timestamp> {
        self.mail.layers().iter().rev().find_map(|layer| layer.date)
    }
}

/// Maximum offset at which the source of a page begins, in bytes: a relay may have put a warning above it.
const LATEST_START: usize = 2_000;

/// Returns whether a text is the source of a page.
fn is_html(text: &str) -> bool {
    let start = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= LATEST_START).last().unwrap_or_default();
    let mut lines = text.get(..start).unwrap_or_default().lines().map(str::trim_start);
    let opens = |line: &str, tag: &str| line.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag));
    lines.any(|line| ["<html", "<!doctype html"].iter().any(|tag| opens(line.trim_start_matches('\u{feff}'), tag)))
}
