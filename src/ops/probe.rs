//! Asks deployed functions whether they reach what they use: from inside their networks, with their own rights.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::{account::Opened, invocation};
use contract::probe::{self, Check};
use engine::Failure;
use kinds::Kind;

/// The outcome of asking a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Asked {
    /// Checks that the function made, with their results.
    pub(crate) checks: Vec<Check>,
    /// The reason why it gave no answer; `None` if it gave one.
    pub(crate) fault: Option<String>,
}

impl Asked {
    /// Returns `true` if the function reaches everything.
    pub(crate) fn is_well(&self) -> bool {
        self.fault.is_none() && self.checks.iter().all(|check| check.ok)
    }

    /// Reads what a function answered, or why it failed. One that was not built for the question took it for an event of its own.
    pub(crate) fn of(answer: Result<Value, String>) -> Self {
        match answer.map(serde_json::from_value::<probe::Answer>) {
            Ok(Ok(answer)) => Self { checks: answer.probe, fault: None },
            Ok(Err(_)) => Self::silent(
                "it does not know the question: it was built without `runtime`, or by an older version".to_owned(),
            ),
            Err(words) => Self::silent(format!("the function failed: {words}")),
        }
    }

    fn silent(fault: String) -> Self {
        Self { checks: Vec::new(), fault: Some(fault) }
    }
}

/// Asks these functions, all at once. Fails with the first that cannot be invoked, and its entry.
pub(crate) async fn ask(opened: &Opened, entries: &[String]) -> Result<BTreeMap<String, Asked>, (String, Failure)> {
    let asked = entries.iter().map(|entry| async move {
        let name = opened.names.name(Kind::Function, entry);
        let timeout = opened.declaration.functions.get(entry).map(|function| function.timeout).unwrap_or_default();
        let answer = invocation::wait(&opened.session, &name, probe::event().to_string(), timeout).await;
        let answer = answer.map_err(|failure| (entry.clone(), failure))?;
        Ok((entry.clone(), read(answer)))
    });
    Ok(futures::future::try_join_all(asked).await?.into_iter().collect())
}

/// Reads an answer of Lambda.
fn read(answer: invocation::Answer) -> Asked {
    if answer.error.is_none() {
        return Asked::of(Ok(answer.payload));
    }
    let words = ["errorMessage", "errorType"].iter().find_map(|key| answer.payload.get(key)?.as_str());
    Asked::of(Err(words.unwrap_or("it gave no reason").to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(payload: serde_json::Value, error: Option<&str>) -> Asked {
        let (error, timings) = (error.map(str::to_owned), invocation::Timings::default());
        read(invocation::Answer { payload, error, log: Vec::new(), timings })
    }

    #[test]
    fn a_function_is_well_if_it_answers_and_reaches_everything() {
        let check = |ok: bool| json!({"what": "secret `netbox/token`", "ok": ok, "reason": "why"});
        assert!(answer(json!({"probe": [check(true)]}), None).is_well());
        assert!(!answer(json!({"probe": [check(true), check(false)]}), None).is_well());
        for other in [json!(null), json!({"disposition": "CONTINUE"}), json!({"probe": "yes"})] {
            let asked = answer(other, None);
            assert!(asked.fault.is_some_and(|fault| fault.contains("does not know the question")));
        }
        let late = answer(json!({"errorMessage": "Task timed out after 3.00 seconds"}), Some("Unhandled"));
        assert_eq!(late.fault.as_deref(), Some("the function failed: Task timed out after 3.00 seconds"));
    }
}
