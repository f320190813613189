//! Renders a plan as Markdown, for a pull request: the counts, a table with a line for each change, and its details, folded.
//!
//! Nothing in it is read as Markdown or as a mention: every name and value is code, with each mark of punctuation written as an entity.

use std::fmt::Write as _;

use super::{
    look::{Look, clean},
    plan::{self, Heading, losses},
};
use engine::Action;
use kinds::{Item, Plan};
use stack::preconditions::Others;

/// Returns the plan, what cuts the stack off from its mail, and whose mail it takes over, with the same text for the same plan.
pub(crate) fn text(heading: &Heading, plan: &Plan, others: &Others) -> String {
    let Heading { source, account, region } = heading;
    let mut text = format!("**{}**\n\n", plan::summary(plan.counts()));
    let _ = writeln!(text, "{} → account {account}, {region}", code(source));
    let cut_off = others.cut_off.iter().map(|finding| ("Mail is cut off", finding));
    for (title, finding) in cut_off.chain(others.taken_over.iter().map(|finding| ("Mail of others stops", finding))) {
        let _ = write!(text, "\n**{title}:** {}; {}\n", entities(&finding.what), entities(&finding.todo));
    }
    let shown: Vec<&Item> = plan.items().iter().filter(|item| is_shown(item)).collect();
    if shown.is_empty() && plan.unlisted.is_empty() {
        return text.trim_end().to_owned();
    }
    text.push_str("\n| action | resource | look at |\n|---|---|---|\n");
    for item in &shown {
        let _ = writeln!(
            text,
            "| {} | {} | {} |",
            action(&item.action),
            code(&item.id.to_string()),
            notes(item).join("<br>")
        );
    }
    for unlisted in &plan.unlisted {
        let why = code(&unlisted.failure.to_string());
        let _ = writeln!(text, "| **not listed** | {} | {why} |", code(&format!("every {}", unlisted.kind.name())));
    }
    for item in shown {
        text.push_str(&details(item));
    }
    text.trim_end().to_owned()
}

fn is_shown(item: &Item) -> bool {
    item.action != Action::Unchanged || !item.protections.is_empty()
}

fn action(action: &Action) -> &'static str {
    match action {
        Action::Unchanged => "unchanged",
        Action::Create => "create",
        Action::Change { .. } => "change",
        Action::Replace { .. } => "**replace**",
        Action::Delete => "**delete**",
        Action::Keep { .. } => "keep",
        Action::Unreadable { .. } => "**unreadable**",
        Action::Foreign { .. } => "**not ours**",
    }
}

/// Returns what a reviewer should not miss about an item.
fn notes(item: &Item) -> Vec<String> {
    let mut notes: Vec<String> = losses(item).iter().map(|loss| format!("**loses:** {}", code(loss))).collect();
    let rights = item.widenings.iter().map(|one| format!("widens rights: {}", code(&one.right)));
    notes.extend(rights);
    notes.extend(item.slow.map(|slow| format!("usually takes {} min", slow.seconds.div_ceil(60))));
    notes.extend(item.interrupts.map(|seconds| format!("interrupts what flows through it for about {seconds} s")));
    match &item.action {
        Action::Keep { why } => notes.push(code(why)),
        Action::Foreign { owner } => notes.push(code(owner)),
        Action::Unreadable { failure } => notes.push(code(&failure.to_string())),
        _ => {}
    }
    notes
}

/// Returns an item as the plan shows it with `-v`, folded.
fn details(item: &Item) -> String {
    let look = Look { whole: true, ..Look::unstyled() };
    let entry = plan::entry(item, &look);
    let mut lines = entry.lines().map(str::trim_end);
    let head = lines.next().unwrap_or_default().trim();
    let rest: Vec<&str> = lines.map(|line| line.strip_prefix("      ").unwrap_or(line)).collect();
    if rest.is_empty() {
        return String::new();
    }
    let rest: Vec<String> = rest.into_iter().map(entities).collect();
    format!("\n<details><summary>{}</summary>\n\n<pre>\n{}\n</pre>\n\n</details>\n", code(head), rest.join("\n"))
}

/// Returns a text as code.
fn code(text: &str) -> String {
    format!("<code>{}</code>", entities(text))
}

/// Returns a text in which nothing is a mark of Markdown or of HTML, and nothing moves the cursor.
fn entities(text: &str) -> String {
    let mut safe = String::new();
    for character in clean(text).chars() {
        if character.is_ascii_punctuation() && !matches!(character, '.' | ',' | '-' | '/' | '=') {
            let _ = write!(safe, "&#{};", u32::from(character));
        } else {
            safe.push(character);
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_value_is_markdown() {
        let hostile = "a|b`c`<script>@everyone #12 [x](y) *z* _w_ \\ https://x\u{1b}\n";
        let safe = entities(hostile);
        for mark in ["|", "`", "<", ">", "@", "[", "(", "*", "_", "\\", ":", "\n", "\u{1b}"] {
            assert!(!safe.contains(mark), "{mark}: {safe}");
        }
        assert!(!safe.replace("&#", "").contains('#'));
    }
}
