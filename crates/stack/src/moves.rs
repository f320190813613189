//! Renamed entries, with everything that is made for them: a function moves with its role, its log group and its alarms.

use std::collections::BTreeMap;

use declaration::{AlarmKind, Declaration, SILENCE, Watched};
use kinds::Kind;

/// The entry that each resource of a renamed entry is for now, by its kind and the entry of before.
pub(crate) fn moves(declaration: &Declaration) -> BTreeMap<(Kind, String), String> {
    let mut moves = BTreeMap::new();
    for one in &declaration.moved {
        let Some(kind) = Kind::ALL.iter().find(|kind| kind.identity().section == Some(one.section)) else { continue };
        let together = match kind {
            Kind::Function => &[Kind::Function, Kind::Role, Kind::LogGroup][..],
            Kind::Api => &[Kind::Api, Kind::AccessLog],
            Kind::Database => &[Kind::Database, Kind::DatabaseSubnets],
            kind => std::slice::from_ref(kind),
        };
        moves.extend(together.iter().map(|kind| ((*kind, one.from.clone()), one.to.clone())));
        let alarms = AlarmKind::ALL.into_iter().map(AlarmKind::measure).chain([SILENCE]);
        let alarms = alarms.filter(|measure| match measure.watched {
            Watched::Function | Watched::FunctionWithFailureQueue | Watched::Receiver | Watched::Listener => {
                *kind == Kind::Function
            }
            Watched::ConfigurationSet => *kind == Kind::ConfigurationSet,
            Watched::FailureQueue | Watched::ConsumedQueue => *kind == Kind::Queue,
            Watched::Api => *kind == Kind::Api,
            Watched::Database => *kind == Kind::Database,
        });
        moves.extend(alarms.map(|measure| {
            let alarm = |entry: &str| alarm_entry(entry, measure.name);
            ((Kind::Alarm, alarm(&one.from)), alarm(&one.to))
        }));
    }
    moves
}

/// Returns the entry of an alarm on a function or a queue.
pub(crate) fn alarm_entry(watched: &str, measure: &str) -> String {
    format!("{watched}-{measure}")
}
