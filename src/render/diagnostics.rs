//! Renders the diagnostics of a declaration: with the source line for people, as data for machines.

use std::{fmt, path::Path};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use contract::count::counted_as;
use serde::Serialize;

use super::{
    VERSION,
    look::{Look, clean},
};
use declaration::{Declaration, Diagnostic, Diagnostics};

/// Renders diagnostics for people. Each begins with `FILE:LINE:COLUMN`, which editors and terminals turn
/// into a link.
pub(super) fn text(diagnostics: &Diagnostics, look: &Look) -> String {
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(look.width.unwrap_or(200));
    let texts: Vec<_> = diagnostics.list().iter().map(|diagnostic| one(diagnostics, diagnostic, &renderer)).collect();
    format!("{}\n", texts.join("\n\n"))
}

fn one(diagnostics: &Diagnostics, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let (line, column) = diagnostics.position(diagnostic.span.start);
    let severity = severity(diagnostic);
    let place = format!("{}:{line}:{column}: {severity}", clean(&diagnostics.file().display().to_string()));
    let level = if diagnostic.is_warning { Level::WARNING } else { Level::ERROR };
    let title = level.with_name(place).primary_title(clean(&diagnostic.message));
    let (source, start) = shown_line(diagnostics, diagnostic);
    let rest = source.get(start..).unwrap_or_default();
    // At least one character is marked, and none beyond the line.
    let one = rest.chars().next().map_or(1, char::len_utf8);
    let end = start + diagnostic.span.len().min(rest.len()).max(one);
    let annotation = AnnotationKind::Primary.span(start..end);
    let snippet = Snippet::source(source).line_start(line).fold(false).annotation(annotation);
    let mut group = title.element(snippet);
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.with_name("hint").message(clean(hint)));
    }
    renderer.render(&[group])
}

fn severity(diagnostic: &Diagnostic) -> &'static str {
    if diagnostic.is_warning { "warning" } else { "error" }
}

/// Returns the source line where the diagnostic begins, and the diagnostic's start in it, in bytes.
fn shown_line<'source>(diagnostics: &'source Diagnostics, diagnostic: &Diagnostic) -> (&'source str, usize) {
    if diagnostic.is_concealed {
        return ("…", 0);
    }
    let before = diagnostics.source().get(..diagnostic.span.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let rest = diagnostics.source().get(start..).unwrap_or_default();
    let line = rest.lines().next().unwrap_or_default();
    // The end of the line is not shown, and may be what the diagnostic is about.
    (line, (before.len() - start).min(line.len()))
}

/// Returns all diagnostics as one JSON document.
pub(super) fn json(diagnostics: &Diagnostics) -> String {
    document(diagnostics.file(), Some(diagnostics), false)
}

/// Returns the same document for a valid declaration.
pub(super) fn json_of_valid(file: &Path, warnings: Option<&Diagnostics>) -> String {
    document(file, warnings, true)
}

fn document(file: &Path, diagnostics: Option<&Diagnostics>, valid: bool) -> String {
    let file = file.display().to_string();
    let list = diagnostics.map(|diagnostics| records(&file, diagnostics)).unwrap_or_default();
    Document { version: VERSION, file: &file, valid, diagnostics: list }.to_string()
}

fn records<'text>(file: &'text str, diagnostics: &'text Diagnostics) -> Vec<DiagnosticRecord<'text>> {
    let list = diagnostics.list().iter().map(|diagnostic| {
        let (line, column) = diagnostics.position(diagnostic.span.start);
        let (end_line, end_column) = diagnostics.position(diagnostic.span.end);
        let source = shown_line(diagnostics, diagnostic).0.chars().take(LONGEST_SOURCE).collect();
        let Diagnostic { message, hint, .. } = diagnostic;
        let (severity, hint) = (severity(diagnostic), hint.as_deref());
        DiagnosticRecord { file, line, column, end_line, end_column, severity, message, hint, source }
    });
    list.collect()
}

/// Length limit of a shown source line, in characters.
const LONGEST_SOURCE: usize = 500;

/// The document of `validate --json`.
#[derive(Debug, Serialize)]
struct Document<'text> {
    version: u32,
    file: &'text str,
    valid: bool,
    diagnostics: Vec<DiagnosticRecord<'text>>,
}

/// The place of a diagnostic. Lines and columns count from 1; columns are characters, and the end is
/// exclusive.
#[derive(Debug, Serialize)]
struct DiagnosticRecord<'text> {
    file: &'text str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    severity: &'static str,
    message: &'text str,
    hint: Option<&'text str>,
    /// Line on which it begins.
    source: String,
}

impl fmt::Display for Document<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&serde_json::to_string(self).map_err(|_| fmt::Error)?)
    }
}

/// Returns the summary of a valid declaration, in one line.
pub(super) fn text_of_valid(file: &Path, declaration: &Declaration) -> String {
    // Sections whose entries nothing else can name.
    let unnamed = [
        ("identities", declaration.identities.len()),
        ("receipt_rules", declaration.receipt_rules.len()),
        ("receipt_filters", declaration.receipt_filters.len()),
    ];
    let named = declaration::sections().into_iter().map(|section| (section, declaration.entries(section).len()));
    let parts: Vec<_> = named
        .chain(unnamed)
        .filter(|(_, count)| *count > 0)
        .map(|(section, count)| counted_in(section, count))
        .collect();
    let contents = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    let file = clean(&file.display().to_string());
    let stage = declaration.stage.as_ref().map(|stage| format!(", stage {stage},")).unwrap_or_default();
    format!("{file}: valid; stack {}{stage} in {}: {contents}", declaration.stack, declaration.region)
}

/// Returns a number of entries of a section in words: `2 security groups`.
fn counted_in(section: &str, count: usize) -> String {
    let many = section.replace('_', " ").replace("apis", "APIs");
    let one = match many.strip_suffix("ies") {
        Some(stem) => format!("{stem}y"),
        None => many.strip_suffix('s').unwrap_or(&many).to_owned(),
    };
    counted_as(count, &one, &many)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_section_is_counted_in_words() {
        for (section, one, many) in [
            ("buckets", "1 bucket", "2 buckets"),
            ("apis", "1 API", "2 APIs"),
            ("identities", "1 identity", "2 identities"),
            ("security_groups", "1 security group", "2 security groups"),
            ("caches", "1 cache", "2 caches"),
        ] {
            assert_eq!((counted_in(section, 1), counted_in(section, 2)), (one.to_owned(), many.to_owned()));
        }
    }

    fn of(source: &str, span: std::ops::Range<usize>) -> Diagnostics {
        Diagnostics::new(Path::new("infra.yaml"), source, vec![Diagnostic::new(span, "wrong")])
    }

    #[test]
    fn any_span_of_any_source_can_be_shown() {
        let source = "ä: ü\r\n\tb: \u{fffd}\n\n漢字: x";
        for start in 0..source.len() + 3 {
            for end in start..source.len() + 3 {
                let shown = text(&of(source, start..end), &Look::plain());
                assert!(shown.starts_with("infra.yaml:"), "{shown}");
                assert!(json(&of(source, start..end)).starts_with("{\"version\":1"));
            }
        }
    }

    #[test]
    fn a_line_without_end_is_cut() {
        let source = format!("stack: [{}]", "1, ".repeat(100_000));
        for look in [Look::plain(), Look { width: Some(80), ..Look::plain() }] {
            let shown = text(&of(&source, 150_000..150_001), &look);
            assert!(shown.len() < 2000, "{}", shown.len());
        }
    }
}
