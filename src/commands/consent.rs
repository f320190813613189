//! Consent to losses: by `--allow-delete`, or by an answer that names what is lost. `--yes` is none.

use std::process::ExitCode;

use super::{
    ERROR,
    converge::{Question, ask},
    interrupts::Interrupts,
};
use crate::render::{
    Printer,
    plan::{Heading, losses},
};
use declaration::choose;
use engine::{Consent, Kind as _};
use kinds::{Kind, Plan};
use problem::Problem;

/// Returns the consent to what was named with `--allow-delete`.
pub(super) fn consent(typed: &[String]) -> Result<Consent, Problem> {
    Consent::naming::<Kind>(typed).map_err(|unknown| {
        let known: Vec<String> = Kind::ALL.iter().map(|kind| kind.typed()).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let (kind, _) = unknown.typed.split_once('/').unwrap_or((&unknown.typed, ""));
        let hint = choose(kind, "kinds", &known);
        Problem::new(unknown.to_string()).with_hint(hint)
    })
}

/// Tells the names that were given and lose nothing in a plan: one may be misspelt.
pub(super) fn tell_needless(printer: &Printer, plan: &Plan, consent: &Consent) {
    for name in plan.needless(consent) {
        printer.line(&format!("`--allow-delete {name}` changes nothing: this plan loses nothing there"));
    }
}

/// Tells the losses that nobody has agreed to; returns `true` if there is none, and everything could be read.
pub(super) fn tell_losses(printer: &Printer, plan: &Plan) -> bool {
    let open = plan.unconsented();
    if !open.is_empty() {
        printer.losses(&open);
    }
    open.is_empty() && plan.counts().unreadable == 0
}

/// Asks for each loss of a plan that nobody has agreed to, where there is a terminal; else prints the flags that agree. Returns the exit
/// code of the run if some loss is not agreed to.
pub(super) async fn refusal(
    printer: &Printer,
    interrupts: &mut Interrupts,
    (heading, plan): (&Heading, &Plan),
) -> anyhow::Result<Option<ExitCode>> {
    let open = plan.unconsented();
    if open.is_empty() {
        return Ok(None);
    }
    if !printer.can_ask() {
        printer.unconsented(heading, plan, &open);
        return Ok(Some(ExitCode::from(ERROR)));
    }
    for item in open {
        let name = item.id.typed();
        printer.line(&format!("\n{name} {}", losses(item).join("; ")));
        let text = format!("Do that? Type `{name}` to confirm:");
        let question = Question { text: &text, word: &name, hint: "", declined: "nothing was changed" };
        if let Some(declined) = ask(printer, interrupts, &question).await? {
            return Ok(Some(declined));
        }
    }
    Ok(None)
}
