//! Properties of an output stream: for a person at a terminal of some width, with or without colour, or for a
//! program.

use console::{Style, Term, measure_text_width};
use contract::text::{REPLACEMENT, is_unseen};
use jiff::tz::TimeZone;

/// The properties of an output stream.
#[derive(Debug, Clone)]
pub(crate) struct Look {
    /// Width of the terminal, in columns; `None` without a terminal: then nothing is wrapped, cut or left out.
    pub(crate) width: Option<usize>,
    /// `true` if colour may be used. Colour never carries information that the text lacks.
    pub(crate) colour: bool,
    /// `true` if everything is shown that is folded otherwise.
    pub(crate) whole: bool,
    /// Time zone of the person who reads.
    pub(crate) zone: TimeZone,
}

impl Look {
    /// Returns the properties of standard output.
    pub(super) fn of_output(whole: bool) -> Self {
        Self { whole, ..Self::of(&Term::stdout(), console::colors_enabled()) }
    }

    /// Returns the properties of standard error.
    pub(super) fn of_errors(whole: bool) -> Self {
        Self { whole, ..Self::of(&Term::stderr(), console::colors_enabled_stderr()) }
    }

    fn of(terminal: &Term, colours: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let width = terminal.is_term().then(|| usize::from(terminal.size().1).max(40));
        Self { width, colour: colours && !refused, whole: false, zone: TimeZone::system() }
    }

    /// Returns the properties of a stream without a terminal, in UTC.
    #[cfg(test)]
    pub(crate) fn plain() -> Self {
        Self::unstyled()
    }

    /// Returns the properties of a text that is no terminal's.
    pub(super) fn unstyled() -> Self {
        Self { width: None, colour: false, whole: false, zone: TimeZone::UTC }
    }

    /// Returns the properties with a smaller width.
    pub(super) fn narrower(&self, by: usize) -> Self {
        Self { width: self.width.map(|width| width.saturating_sub(by)), ..self.clone() }
    }

    /// Returns a text as lines of the terminal's width, broken at spaces, each after so many spaces and the further ones after two
    /// more. A word that is longer than a line stays whole. Without a terminal it is one line.
    pub(super) fn wrapped(&self, indent: usize, text: &str) -> String {
        let width = self.width.unwrap_or(usize::MAX);
        let mut lines = String::new();
        let (mut line, mut begins_at) = (" ".repeat(indent), indent);
        for word in text.split(' ') {
            let is_first = measure_text_width(&line) == begins_at;
            if !is_first && measure_text_width(&line) + 1 + measure_text_width(word) > width {
                lines.push_str(line.trim_end());
                lines.push('\n');
                begins_at = indent + 2;
                line = " ".repeat(begins_at);
            } else if !is_first {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines + line.trim_end() + "\n"
    }

    /// Returns a text with every line broken that is longer than the terminal is wide; its further lines are indented by two more.
    pub(super) fn fit(&self, text: &str) -> String {
        let width = self.width.unwrap_or(usize::MAX);
        let fit = |line: &str| {
            if measure_text_width(line) <= width {
                return line.to_owned();
            }
            let rest = line.trim_start_matches(' ');
            self.wrapped(line.len() - rest.len(), rest).trim_end_matches('\n').to_owned()
        };
        text.split('\n').map(fit).collect::<Vec<_>>().join("\n")
    }

    /// Returns the text in a style, if colour may be used.
    pub(super) fn paint(&self, style: Style, text: &str) -> String {
        style.force_styling(self.colour).apply_to(text).to_string()
    }

    /// Returns the name of the local time zone.
    pub(super) fn zone_name(&self) -> &str {
        self.zone.iana_name().unwrap_or("this machine's time")
    }
}

/// Returns a text from a mail or a file that is safe for a terminal: control characters could move the cursor,
/// hide the text there or set a title, and directional marks could reverse it.
pub(crate) fn clean(text: &str) -> String {
    let shown = |character| match character {
        '\t' => ' ',
        unseen if is_unseen(unseen) => REPLACEMENT,
        other => other,
    };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_moves_the_cursor() {
        assert_eq!(
            clean("a\u{1b}[2Jb\r\nc\u{9b}d\u{202e}e\tf ü"),
            "a\u{fffd}[2Jb\u{fffd}\u{fffd}c\u{fffd}d\u{fffd}e f ü"
        );
    }

    #[test]
    fn a_long_text_is_broken_at_spaces_and_no_word_is() {
        let look = Look { width: Some(20), ..Look::plain() };
        let text = "may s3:GetObject on arn:aws:s3:::a-long-name/* if it is so";
        let expected = "  may s3:GetObject\n    on\n    arn:aws:s3:::a-long-name/*\n    if it is so\n";
        assert_eq!(look.wrapped(2, text), expected);
        assert_eq!(Look::plain().wrapped(2, text), format!("  {text}\n"));
    }

    #[test]
    fn lines_are_broken_where_they_are_longer_than_the_terminal_is_wide() {
        let look = Look { width: Some(24), colour: true, ..Look::plain() };
        let mark = look.paint(Style::new().red(), "!");
        let text = format!("first\n  {mark} queue failed   could not be read\n\nlast");
        let expected = format!("first\n  {mark} queue failed   could\n    not be read\n\nlast");
        assert_eq!(look.fit(&text), expected);
        assert_eq!(Look::plain().fit(&text), text);
    }

    #[test]
    fn colour_is_only_where_it_is_welcome() {
        let mut look = Look::plain();
        assert_eq!(look.paint(Style::new().red(), "failed"), "failed");
        look.colour = true;
        assert_eq!(look.paint(Style::new().red(), "failed"), "\u{1b}[31mfailed\u{1b}[0m");
    }
}
