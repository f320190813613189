//! The second opinion: reads anew what a provider's reader has read, and objects where the mail states another id, window or status.
//!
//! It knows no provider's format. It looks for the values in the mail as anybody would: dates and times of day in every form, the
//! zones beside them, the labels before them, the words for a change. So it does not repeat the mistake of a reader that takes the
//! month for the day, drops a zone, or takes a neighbour's row. What it cannot judge, it says nothing of.

mod ahead;
mod calendars;
mod clock;
mod ids;
mod labels;
mod names;
mod ranges;
mod said;
mod scan;
mod stated_zones;
mod statuses;
mod titles;
mod tokens;
mod windows;
mod written_dates;

use crate::{failure::Failure, model::Maintenance, source::Source};
pub(crate) use ahead::announced;
use said::Said;

/// The opinion on one kind of value: how many of them the mail states as well, by another way of reading it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It found so many values, which are all that were read.
    Agrees(usize),
    /// The mail has nothing that it could compare.
    Silent,
}

/// The second opinion on a reading to which it does not object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opinion {
    /// The opinion on the ids.
    pub ids: Verdict,
    /// The opinion on the windows, one of each maintenance that has one.
    pub windows: Verdict,
    /// The opinion on the statuses.
    pub statuses: Verdict,
}

impl Opinion {
    /// Returns `true` if there is a kind of value of which it says nothing.
    pub fn is_silent(&self) -> bool {
        [self.ids, self.windows, self.statuses].contains(&Verdict::Silent)
    }
}

/// The answer of one form of the mail to a reading.
enum Answer {
    Agrees(usize),
    Silent,
    Objects(Failure),
}

/// Returns the opinion on a reading, or a failure, with both readings, where it differs.
///
/// A mail states its notice in several forms: calendar, page, text. One that agrees is enough: the other may be a footer.
pub fn of(source: &Source<'_>, maintenances: &[Maintenance]) -> Result<Opinion, Failure> {
    let forms = said::forms(source);
    let by_form = |judge: &dyn Fn(&Said<'_>) -> Answer, calendars: Answer| {
        let mut objection = None;
        let answers = std::iter::once(calendars).chain(forms.iter().map(judge));
        for answer in answers {
            match answer {
                Answer::Agrees(count) => return Ok(Verdict::Agrees(count)),
                Answer::Objects(failure) => objection = objection.or(Some(failure)),
                Answer::Silent => {}
            }
        }
        objection.map_or(Ok(Verdict::Silent), Err)
    };
    let (ids, windows, statuses) = calendars::answers(source, maintenances);
    // A window that is stated beside that which was read counts in each form, whichever form agrees.
    let other = |form: &Said<'_>| ranges::other(form, maintenances).or_else(|| titles::other(form, maintenances));
    if let Some(failure) = forms.iter().find_map(other) {
        return Err(failure);
    }
    Ok(Opinion {
        ids: by_form(&|form| ids::judge(form, maintenances), ids)?,
        windows: by_form(&|form| windows::judge(form, maintenances), windows)?,
        statuses: by_form(&|form| statuses::judge(source, form, maintenances), statuses)?,
    })
}
