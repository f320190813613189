//! Applies a plan and reads the account again: the common part of `up` and `down`. Nothing here asks or prints.

use tokio::sync::watch;

use super::compare::Compared;
use aws::Pacing;
use engine::{Disorder, Observer, Outcome, Patience};
use kinds::{Kind, Results, Session};

/// How many times the account is re-read after applying (eventual consistency).
const LOOKS: u32 = 5;

/// The result of applying a plan.
pub struct Converged {
    /// The result of each step.
    pub results: Results,
    /// The comparison after applying; `None` if some step was not done, which makes it pointless.
    pub now: Option<Compared>,
    /// `true` if Ctrl-C interrupted the run.
    pub interrupted: bool,
}

impl Converged {
    /// Returns `true` if every step was done and the account was seen to match.
    pub fn is_complete(&self) -> bool {
        self.now.as_ref().is_some_and(|now| now.plan.is_converged())
    }
}

/// Applies a plan. When `stop` becomes true, running steps are finished and none is started.
pub async fn apply(
    session: &Session,
    compared: &Compared,
    observer: &dyn Observer<Kind>,
    stop: &watch::Receiver<bool>,
) -> Results {
    let Pacing { poll, deadline, attempt, .. } = session.aws.pacing;
    let patience = Patience { poll, deadline, attempt };
    let known = (compared.resources.as_slice(), &compared.survey);
    let session = Session { emptied: compared.plan.emptied(), ..session.clone() };
    engine::apply((&session, patience), &compared.plan, known, observer, stop).await
}

/// Compares again after applying, until the account matches; `None` if some step was not done, which makes it pointless.
pub async fn look_again(
    session: &Session,
    results: &Results,
    again: impl AsyncFn() -> Result<Compared, Disorder>,
) -> Result<Option<Compared>, Disorder> {
    if results.iter().any(|(_, _, outcome)| *outcome != Outcome::Done) {
        return Ok(None);
    }
    let mut wait = session.aws.pacing.poll;
    let mut now = again().await?;
    for _ in 1..LOOKS {
        if now.plan.is_converged() {
            break;
        }
        tokio::time::sleep(wait).await;
        wait *= 2;
        now = again().await?;
    }
    Ok(Some(now))
}
