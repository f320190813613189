//! Properties of losses and consent, over a kind of each sort with every sort of field.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::Map;

use super::*;
use crate::{Action, Address, Failure, Field, Life, Live, Owner, Read, Survey, immutable, plain};

/// A kind for each way to hold data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
enum Sort {
    Plain,
    Line,
    Store,
    /// Stores are in it.
    Ground,
}

const FIELDS: &[Field] = &[
    plain("ends").with_life(Life::Ends),
    plain("below.*").with_life(Life::EndsBelow),
    plain("recovers").with_life(Life::Recovers),
    plain("keeps").with_life(Life::Keeps),
    plain("tries").with_life(Life::EndsUncaught("catches")),
    plain("catches").with_life(Life::Catches),
    plain("other"),
    plain("shared.*").shared(&["own-"]),
    plain("list").shared(&[]),
    plain("tags.*"),
    immutable("fixed", "it is fixed"),
];

impl Kind for Sort {
    type Session = ();
    type Settings = Value;

    fn all() -> &'static [Self] {
        &[Self::Plain, Self::Line, Self::Store, Self::Ground]
    }

    fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Line => "waiting line",
            Self::Store => "store",
            Self::Ground => "ground",
        }
    }

    fn fields(self) -> &'static [Field] {
        FIELDS
    }

    fn refers_to(self) -> &'static [Self] {
        if self == Self::Store { &[Self::Ground] } else { &[] }
    }

    fn holds(self, _: &str) -> Holds {
        match self {
            Self::Plain | Self::Ground => Holds::Nothing,
            Self::Line => Holds::Passing,
            Self::Store => Holds::Lasting,
        }
    }

    crate::planned::planned_only!();

    fn interruption(self) -> Option<Duration> {
        None
    }
}

/// The settings of a resource.
#[derive(Debug, Clone, Default)]
struct Settings {
    ends: Option<u8>,
    below: BTreeMap<&'static str, u8>,
    recovers: Option<u8>,
    keeps: bool,
    tries: u8,
    catches: Option<&'static str>,
    other: u8,
    shared: BTreeSet<&'static str>,
    list: BTreeSet<&'static str>,
    protect: Option<bool>,
    fixed: bool,
}

impl Settings {
    fn tree(&self) -> Value {
        let shared: Map<String, Value> = self.shared.iter().map(|key| ((*key).to_owned(), json!({"a": 1}))).collect();
        let tags: Map<String, Value> =
            self.protect.iter().map(|protect| (PROTECT_TAG.to_owned(), json!(protect.to_string()))).collect();
        json!({"ends": self.ends, "below": self.below, "recovers": self.recovers, "keeps": self.keeps, "tries": self.tries, "catches": self.catches, "other": self.other, "shared": shared,
            "list": self.list, "tags": tags, "fixed": self.fixed})
    }
}

/// A resource before and after a change of the declaration.
#[derive(Debug, Clone)]
struct Case {
    kind: Sort,
    live: Settings,
    /// Declared settings; `None` if it is no longer declared.
    declared: Option<Settings>,
    /// Data that it holds; asked only of what is not declared.
    holding: Option<String>,
    is_named: bool,
}

impl Case {
    fn is_protected(&self, settings: &Settings) -> bool {
        settings.protect.unwrap_or(self.kind == Sort::Store)
    }

    /// Returns what the action loses, by the words of the rule and not of the code; `None` if the resource has to stay.
    fn expected(&self, is_named: bool) -> Option<BTreeSet<Loses>> {
        let mut losses = BTreeSet::new();
        let mut add = |is_lost: bool, loses| is_lost.then(|| losses.insert(loses));
        let (live, protected) = (&self.live, self.is_protected(&self.live));
        let Some(declared) = &self.declared else {
            if self.holding.is_some() && (self.kind == Sort::Plain || !is_named) {
                return None;
            }
            add(self.holding.is_some(), Loses::Data);
            add(protected, Loses::Protected);
            return Some(losses);
        };
        let is_replaced = live.fixed != declared.fixed;
        add(is_replaced && self.kind != Sort::Plain, Loses::Data);
        add(is_replaced && protected, Loses::Protected);
        let is_by_name = |settings: &Settings| settings.protect == Some(true);
        let is_less = is_by_name(live) && !is_by_name(declared);
        add(protected && !self.is_protected(declared) || is_less, Loses::Protection);
        let ends = declared.ends.is_some_and(|to| live.ends.is_none_or(|from| to < from));
        // The shortest time that covers a name is its life.
        let shortest = |settings: &Settings, name: &str| {
            let covers = |key: &str| key == "*" || name.starts_with(key);
            settings.below.iter().filter(|(key, _)| covers(key)).map(|(_, time)| *time).min().unwrap_or(u8::MAX)
        };
        let below = ["x", "a/x", "a/b/x", "c/x"].iter().any(|name| shortest(declared, name) < shortest(live, name));
        let recovers = declared.recovers.unwrap_or(0) < live.recovers.unwrap_or(0);
        // What is caught is not lost, however early.
        let lost = declared.catches.is_none() && (live.catches.is_some() || declared.tries < live.tries);
        add(ends || below || recovers || lost || live.keeps && !declared.keeps, Loses::Life);
        let theirs = |key: &&&str| !key.starts_with("own-");
        let others = live.shared.difference(&declared.shared).any(|key| theirs(&key));
        add(others || live.list.difference(&declared.list).next().is_some(), Loses::Others);
        Some(losses)
    }
}

fn settings() -> impl Strategy<Value = Settings> {
    let names =
        || vec(select(vec!["own-a", "own-b", "theirs", "further"]), 0..3).prop_map(|names| names.into_iter().collect());
    let small = || option::of(0..3u8);
    let below = prop::collection::btree_map(select(vec!["*", "a/", "a/b/", "c/"]), 0..3u8, 0..3);
    (
        small(),
        below,
        small(),
        any::<bool>(),
        (0..3u8, option::of(select(vec!["one", "other"]))),
        0..2u8,
        names(),
        names(),
        option::of(any::<bool>()),
        prop::bool::weighted(0.2),
    )
        .prop_map(|(ends, below, recovers, keeps, (tries, catches), other, shared, list, protect, fixed)| {
            Settings { ends, below, recovers, keeps, tries, catches, other, shared, list, protect, fixed }
        })
}

fn case() -> impl Strategy<Value = Case> {
    let kind = select(vec![Sort::Plain, Sort::Line, Sort::Store]);
    let holding = option::of(Just("3 things".to_owned()));
    (kind, settings(), option::weighted(0.7, settings()), holding, any::<bool>())
        .prop_map(|(kind, live, declared, holding, is_named)| Case { kind, live, declared, holding, is_named })
}

fn id(number: usize, case: &Case) -> Id<Sort> {
    Id::new(case.kind, format!("e{number}"))
}

/// Returns the declared resources and the survey of some cases.
fn account(cases: &[Case]) -> (Vec<Resource<Sort>>, Survey<Sort>) {
    let (mut declared, mut survey) = (Vec::new(), Survey::default());
    for (number, case) in cases.iter().enumerate() {
        let (id, address) = (id(number, case), Address::of(format!("a{number}")));
        let place = (case.kind, address.clone());
        let live = Live { settings: case.live.tree(), owner: Owner::Ours };
        survey.read.insert(place.clone(), Read::Present(live));
        let owned = Owned { protect: case.live.protect, ..Owned::new(id.entry.clone(), address.clone()) };
        survey.owned.entry(case.kind).or_default().insert(owned);
        match &case.declared {
            Some(settings) => declared.push(Resource {
                id,
                address,
                settings: settings.tree(),
                after: Vec::new(),
                moved_from: None,
                protections: Vec::new(),
            }),
            None => {
                survey.holds.extend(case.holding.clone().map(|holding| (place, Ok(holding))));
            }
        }
    }
    (declared, survey)
}

fn named(names: &[String]) -> Consent {
    Consent::naming::<Sort>(names).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn exactly_what_loses_something_waits_for_a_consent_that_names_it(cases in vec(case(), 1..5)) {
        let (declared, survey) = account(&cases);
        let names: Vec<String> =
            cases.iter().enumerate().filter(|(_, case)| case.is_named).map(|(number, case)| id(number, case).typed()).collect();
        for consent in [Consent::default(), named(&names)] {
            let plan = Plan::with_consent(&declared, &survey, &consent).unwrap();
            let items: BTreeMap<&str, &Item<Sort>> = plan.items().iter().map(|item| (item.id.entry.as_str(), item)).collect();
            let open: BTreeSet<String> = plan.unconsented().iter().map(|item| item.id.entry.clone()).collect();
            for (number, case) in cases.iter().enumerate() {
                let id = id(number, case);
                let item = items[id.entry.as_str()];
                let is_named = consent.names(&id);
                let told: BTreeSet<Loses> = item.losses.iter().map(|loss| loss.loses).collect();
                let expected = case.expected(is_named);
                let stays = matches!(item.action, Action::Keep { .. });
                prop_assert_eq!(stays, expected.is_none(), "{:?}", case);
                prop_assert_eq!(&told, &expected.unwrap_or_default(), "{:?}", case);
                prop_assert_eq!(open.contains(&id.entry), !told.is_empty() && !is_named, "{:?}", case);
                // What may be done unasked neither ends what holds data or is protected, nor shortens a life.
                let ends = matches!(item.action, Action::Delete | Action::Replace { .. });
                if !is_named && !open.contains(&id.entry) && ends {
                    prop_assert!(!case.is_protected(&case.live), "{:?}", case);
                    prop_assert!(case.declared.is_none() || case.kind == Sort::Plain, "{:?}", case);
                    prop_assert!(case.declared.is_some() || case.holding.is_none(), "{:?}", case);
                }
            }
        }
    }

    #[test]
    fn the_end_of_a_stack_takes_neither_data_nor_what_is_protected_by_name(cases in vec(case(), 1..5), data: bool) {
        let cases: Vec<Case> = cases.into_iter().map(|case| Case { declared: None, ..case }).collect();
        let (declared, survey) = account(&cases);
        let names: Vec<String> =
            cases.iter().enumerate().filter(|(_, case)| case.is_named).map(|(number, case)| id(number, case).typed()).collect();
        let consent = named(&names).with_stack(data);
        let plan = Plan::with_consent(&declared, &survey, &consent).unwrap();
        prop_assert!(plan.unconsented().is_empty());
        for item in plan.items() {
            let number: usize = item.id.entry[1..].parse().unwrap();
            let case = &cases[number];
            let holds_data = case.holding.is_some() && case.kind != Sort::Plain;
            let holds_others = case.holding.is_some() && case.kind == Sort::Plain;
            let stays = holds_others
                || holds_data && !data && !case.is_named
                || case.live.protect == Some(true) && !case.is_named;
            prop_assert_eq!(matches!(item.action, Action::Keep { .. }), stays, "{:?}", case);
            prop_assert_eq!(plan.emptied().contains(&(case.kind, item.address.clone())), holds_data && !stays, "{:?}", case);
        }
    }

    #[test]
    fn nothing_is_lost_of_what_was_never_finished_or_is_nobodys(case in case()) {
        let (declared, mut survey) = account(std::slice::from_ref(&case));
        let place = (case.kind, Address::of("a0"));
        let mut unfinished = case.live.tree();
        unfinished["tags"][UNFINISHED_TAG] = json!("true");
        for live in [
            Live { settings: unfinished, owner: Owner::Ours },
            Live { settings: case.live.tree(), owner: Owner::Nobody },
        ] {
            survey.read.insert(place.clone(), Read::Present(live));
            let plan = Plan::new(&declared, &survey).unwrap();
            let lost = plan.items().iter().filter(|item| item.is_declared && !item.losses.is_empty());
            prop_assert_eq!(lost.count(), 0);
        }
    }
}

#[test]
fn what_something_that_stays_may_use_stays_and_goes_with_it() {
    let (store, ground) = (Address::of("a0"), Address::of("a1"));
    let survey = |stays| {
        let mut survey = Survey::<Sort>::default();
        let owned = Owned { stays, ..Owned::new("store", store.clone()) };
        survey.owned.insert(Sort::Store, [owned].into());
        survey.owned.insert(Sort::Ground, [Owned::new("ground", ground.clone())].into());
        survey.holds.insert((Sort::Store, store.clone()), Ok("3 things".to_owned()));
        survey
    };
    let actions = |survey: &Survey<Sort>, consent: &Consent| -> BTreeMap<Sort, Action> {
        let plan = Plan::with_consent(&[], survey, consent).unwrap();
        plan.items().iter().map(|item| (item.id.kind, item.action.clone())).collect()
    };
    let ends = Consent::default().with_stack(false);
    let stay = actions(&survey(None), &ends);
    assert_eq!(stay[&Sort::Store], Action::Keep { why: "3 things".to_owned() });
    assert_eq!(stay[&Sort::Ground], Action::Keep { why: "store store may use it, and stays".to_owned() });
    let go = actions(&survey(None), &Consent::default().with_stack(true));
    assert_eq!([&go[&Sort::Store], &go[&Sort::Ground]], [&Action::Delete; 2]);
    // What cannot be read may hold something, and so may one of what cannot be listed.
    let denied = || Failure::found("store.List", crate::Class::Denied, "no");
    let mut unread = survey(None);
    unread.holds.insert((Sort::Store, store.clone()), Err(denied()));
    let why = "store store may use it, and could not be read".to_owned();
    assert_eq!(actions(&unread, &ends)[&Sort::Ground], Action::Keep { why });
    let mut unlisted = survey(None);
    unlisted.owned.remove(&Sort::Store);
    unlisted.unlisted.insert(Sort::Store, denied());
    let why = "a store may use it, and none could be listed".to_owned();
    assert_eq!(actions(&unlisted, &ends)[&Sort::Ground], Action::Keep { why });
    // Of what may be somebody else's nobody knows what it uses.
    let theirs = actions(&survey(Some("it is half ours")), &ends);
    assert_eq!(theirs[&Sort::Ground], Action::Delete);
}

#[test]
fn a_name_is_typed_as_the_plan_prints_it() {
    let id = Id::new(Sort::Line, "in.one");
    assert_eq!(id.typed(), "waiting-line/in.one");
    for typed in ["waiting-line/in.one", "waiting line/in.one"] {
        assert!(named(&[typed.to_owned()]).names(&id), "{typed}");
    }
    for typed in ["", "store", "store/", "/one", "shop/one"] {
        assert!(Consent::naming::<Sort>(&[typed.to_owned()]).is_err(), "{typed}");
    }
}
