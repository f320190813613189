//! What is wrong with a declaration: for people with the source line, for machines as data.

use std::path::Path;

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};
use serde_json::{Value, json};

use super::{
    VERSION,
    look::{Look, clean},
};
use crate::declaration::{Declaration, Diagnostic, Diagnostics};

/// Each diagnostic begins with `FILE:LINE:COLUMN`, which editors and terminals make a link of.
pub(super) fn text(diagnostics: &Diagnostics, look: &Look) -> String {
    let renderer = if look.colour { Renderer::styled() } else { Renderer::plain() };
    let renderer = renderer.term_width(look.width.unwrap_or(200));
    let texts: Vec<_> = diagnostics.list().iter().map(|diagnostic| one(diagnostics, diagnostic, &renderer)).collect();
    format!("{}\n", texts.join("\n\n"))
}

fn one(diagnostics: &Diagnostics, diagnostic: &Diagnostic, renderer: &Renderer) -> String {
    let (line, column) = diagnostics.position(diagnostic.span.start);
    let place = format!("{}:{line}:{column}: error", clean(&diagnostics.file().display().to_string()));
    let title = Level::ERROR.with_name(place).primary_title(clean(&diagnostic.message));
    let (source, start) = shown_line(diagnostics, diagnostic);
    let length = diagnostic.span.len().min(source.len().saturating_sub(start)).max(1);
    let snippet = Snippet::source(source)
        .line_start(line)
        .fold(false)
        .annotation(AnnotationKind::Primary.span(start..start + length));
    let mut group = title.element(snippet);
    if let Some(hint) = &diagnostic.hint {
        group = group.element(Level::HELP.with_name("hint").message(clean(hint)));
    }
    renderer.render(&[group])
}

/// The line of the source where the diagnostic begins, and where in it, in bytes.
fn shown_line<'source>(diagnostics: &'source Diagnostics, diagnostic: &Diagnostic) -> (&'source str, usize) {
    let before = diagnostics.source().get(..diagnostic.span.start).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |end| end + 1);
    let rest = diagnostics.source().get(start..).unwrap_or_default();
    (rest.lines().next().unwrap_or_default(), before.len() - start)
}

/// All of them as one document.
pub(super) fn json(diagnostics: &Diagnostics) -> String {
    let list: Vec<Value> = diagnostics
        .list()
        .iter()
        .map(|diagnostic| {
            let (line, column) = diagnostics.position(diagnostic.span.start);
            let (end_line, end_column) = diagnostics.position(diagnostic.span.end);
            json!({
                "file": diagnostics.file().display().to_string(),
                "line": line,
                "column": column,
                "end_line": end_line,
                "end_column": end_column,
                "message": diagnostic.message,
                "hint": diagnostic.hint,
                "source": shown_line(diagnostics, diagnostic).0,
            })
        })
        .collect();
    document(diagnostics.file(), &list)
}

/// The same for a declaration that is sound.
pub(super) fn json_of_none(file: &Path) -> String {
    document(file, &[])
}

/// What a sound declaration declares, in one line.
pub(super) fn text_of_none(file: &Path, declaration: &Declaration) -> String {
    let parts = [
        (declaration.buckets.len(), "bucket"),
        (declaration.functions.len(), "function"),
        (declaration.queues.len(), "queue"),
        (declaration.receipt_rules.len(), "receipt rule"),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    let contents = if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") };
    let file = clean(&file.display().to_string());
    format!("{file}: sound; stack {} in {}: {contents}", declaration.stack, declaration.region)
}

fn document(file: &Path, diagnostics: &[Value]) -> String {
    json!({
        "version": VERSION,
        "file": file.display().to_string(),
        "valid": diagnostics.is_empty(),
        "diagnostics": diagnostics,
    })
    .to_string()
}
