//! Tests the matching of circuits, most of it as properties.

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::*;

fn circuit(id: u64, cid: &str) -> NamedCircuit {
    NamedCircuit { id: CircuitId::new(id), cid: cid.to_owned(), aliases: Vec::new(), cross_connects: Vec::new() }
}

fn prefixes() -> Prefixes {
    Prefixes::of(["zayo-europe", "Zayo Group"])
}

/// Matches ids with the circuits of a provider, as delivery does.
fn matched(cids: &[&str], all: &[NamedCircuit]) -> Circuits {
    let cids: BTreeSet<&str> = cids.iter().copied().collect();
    let exact = all.iter().filter(|circuit| cids.contains(circuit.cid.as_str()));
    let known: Circuits = exact.map(|circuit| (circuit.cid.clone(), circuit.id)).collect();
    let missing = known.missing(&cids);
    known.with_tolerance(&missing, all, &prefixes())
}

fn ids(cids: &[&str], all: &[NamedCircuit]) -> Vec<Option<u64>> {
    let circuits = matched(cids, all);
    let number = |id: CircuitId| id.to_string().parse().unwrap();
    cids.iter().map(|cid| circuits.get(cid).map(number)).collect()
}

#[test]
fn one_circuit_that_fits_is_the_one_and_of_two_none_is() {
    let all = [circuit(1, "OGYX/123456//ZYO"), circuit(2, "LINE-1"), circuit(3, "line 1"), circuit(4, "ZAYO-777777")];
    for (cid, expected) in [
        ("OGYX/123456//ZYO", Some(1)),
        ("ogyx 123456 zyo", Some(1)),
        ("Zayo OGYX/123456/ZYO", Some(1)),
        ("OGYX/123457//ZYO", None),
        ("LINE-1", Some(2)),
        ("line 1", Some(3)),
        ("LINE/1", None),
        ("777777", Some(4)),
        ("  ", None),
        ("", None),
    ] {
        assert_eq!(ids(&[cid], &all), [expected], "{cid}");
    }
}

#[test]
fn aliases_and_cross_connects_name_a_circuit_and_an_exact_id_wins_over_both() {
    let mut all = [circuit(1, "A-1"), circuit(2, "B-2"), circuit(3, "C-3"), circuit(4, "D-4")];
    all[0].aliases = vec!["B-2".to_owned(), "CUST-9".to_owned(), String::new(), " ".to_owned()];
    all[1].cross_connects = vec!["XC-1001".to_owned(), "XC-1001".to_owned(), "7".to_owned()];
    all[2].aliases = vec!["SHARED-1".to_owned(), "d 4 old".to_owned()];
    all[3].aliases = vec!["shared 1".to_owned()];
    for (cid, expected) in [
        ("B-2", Some(2)),
        ("b 2", None),
        ("cust/9", Some(1)),
        ("xc 1001", Some(2)),
        ("7", None),
        ("SHARED-1", None),
        ("D/4", Some(4)),
        ("-", None),
    ] {
        assert_eq!(ids(&[cid], &all), [expected], "{cid}");
    }
    assert_eq!(ids(&["A-1", "CUST-9", "cust 9"], &all), [Some(1), Some(1), Some(1)], "people have said that it is one");
    assert_eq!(ids(&["CUST-9", "a 1"], &all), [Some(1), None], "a guess is no second name");
}

#[test]
fn no_two_ids_of_a_notice_are_guessed_to_be_one_circuit() {
    let all = [circuit(1, "LINE-1")];
    assert_eq!(ids(&["LINE-1", "LINE/1"], &all), [Some(1), None]);
    assert_eq!(ids(&["line 1", "LINE/1"], &all), [None, None]);
    let said = matched(&["line 1", "LINE/1"], &all).unknown_of("Zayo", &["line 1", "LINE/1"].into());
    assert!(said.unwrap().contains("`LINE/1` (alike there: `LINE-1`), `line 1` (alike there: `LINE-1`)"));
}

#[test]
fn what_an_unknown_id_may_mean_is_spelled_byte_for_byte() {
    let all = [circuit(1, "LINE  9\u{a0}"), circuit(2, "LINE-9"), circuit(3, "\u{41b}INE-9"), circuit(4, "OTHER-1")];
    let said = |cid: &str| matched(&[cid], &all).unknown_of("Zayo", &[cid].into()).unwrap();
    assert_eq!(
        said("LINE 9"),
        "NetBox has no circuits of Zayo with these CIDs: `LINE 9` (alike there: `LINE  9\\u{a0}`, `LINE-9`); once they are \
         there, `provision replay` delivers the mail again"
    );
    assert!(said("NEW-77").contains("`NEW-77`; once"), "{}", said("NEW-77"));
    assert!(said("OTH-ER-1").contains("(alike there: `OTHER-1`)"), "nothing fits, but a person may know");
    let many: Vec<_> =
        (0..9).map(|id| circuit(id, &format!("LINE{}9", "-".repeat(usize::try_from(id).unwrap() + 1)))).collect();
    let said = matched(&["line 9"], &many).unknown_of("Zayo", &["line 9"].into()).unwrap();
    assert!(said.contains("`LINE-----9` and 4 more)"), "{said}");
}

#[test]
fn of_two_ids_of_one_circuit_the_worse_impact_counts() {
    let mut all = [circuit(1, "A-1")];
    all[0].aliases = vec!["CUST-9".to_owned()];
    let circuits = matched(&["A-1", "CUST-9"], &all);
    let content = |one, other| Content {
        status: None,
        circuits: [("A-1".to_owned(), one), ("CUST-9".to_owned(), other)].into(),
        summary: String::new(),
    };
    for (one, other) in [(Impact::Outage, Impact::NoImpact), (Impact::Degraded, Impact::Outage)] {
        assert_eq!(known_impacts(&content(one, other), &circuits), [(CircuitId::new(1), Impact::Outage)].into());
    }
    assert_eq!(circuits.taken_for().unwrap(), "`CUST-9` is NetBox's `A-1`");
}

/// Returns the words of an id.
fn words() -> impl Strategy<Value = Vec<String>> {
    vec(select(vec!["a", "ab", "line", "1", "12", "2", "123456", "zyo"]).prop_map(str::to_owned), 1..4)
}

/// Returns a spelling of an id with these words.
fn spelling_of(words: Vec<String>) -> impl Strategy<Value = String> {
    let separator = || select(vec!["-", " ", "/", "//", "  ", "_", " / ", "\u{a0}", "\u{2011}"]);
    let cases = vec(any::<bool>(), words.len());
    (vec(separator(), words.len()), cases, option::of(Just("ZAYO "))).prop_map(move |(between, upper, prefix)| {
        let mut id = prefix.filter(|_| can_follow_a_name(&words.concat())).unwrap_or_default().to_owned();
        for (place, word) in words.iter().enumerate() {
            id.push_str(if place == 0 { "" } else { between[place] });
            id.push_str(&if upper[place] { word.to_uppercase() } else { word.clone() });
        }
        id
    })
}

/// Returns whether an id is long enough for the carrier's name in front of it to be told from it.
fn can_follow_a_name(id: &str) -> bool {
    id.len() > 3 && id.contains(|letter: char| letter.is_ascii_digit())
}

fn any_id() -> impl Strategy<Value = String> {
    words().prop_flat_map(spelling_of)
}

fn any_circuits() -> impl Strategy<Value = Vec<NamedCircuit>> {
    vec((any_id(), vec(any_id(), 0..2), vec(any_id(), 0..2)), 0..6).prop_map(|all| {
        let named = |(place, (cid, aliases, cross_connects)): (usize, (String, Vec<String>, Vec<String>))| {
            NamedCircuit { aliases, cross_connects, ..circuit(place as u64, &cid) }
        };
        let mut seen = BTreeSet::new();
        all.into_iter().enumerate().map(named).filter(|circuit| seen.insert(circuit.cid.clone())).collect()
    })
}

/// Returns whether a circuit fits an id, each name compared by itself.
fn fits(cid: &str, circuit: &NamedCircuit) -> bool {
    let keys = prefixes().keys(cid);
    let has_key = |name: &String| prefixes().keys(name).iter().any(|key| keys.contains(key));
    let is_end = |name: &String| {
        let name = Spelling::of(name);
        name.is_of_cross_connect() && keys.first() == Some(&name)
    };
    std::iter::once(&circuit.cid).chain(&circuit.aliases).any(has_key) || circuit.cross_connects.iter().any(is_end)
}

#[test]
fn a_large_notice_finds_its_circuits_among_many() {
    let all: Vec<_> = (0..25_000).map(|id| circuit(id, &format!("OGYX/{id:06}//ZYO"))).collect();
    let cids: Vec<String> = (0..500).map(|id| format!("Zayo ogyx {:06} zyo", id * 49)).collect();
    let cids: Vec<&str> = cids.iter().map(String::as_str).collect();
    assert_eq!(ids(&cids, &all), (0..500).map(|id| Some(id * 49)).collect::<Vec<_>>());
    let unknown: Vec<String> = (0..500).map(|id| format!("ABC-{id:06}")).collect();
    assert!(ids(&unknown.iter().map(String::as_str).collect::<Vec<_>>(), &all).iter().all(Option::is_none));
}

proptest! {
    #[test]
    fn a_tolerant_match_is_the_only_circuit_that_fits(cids in vec(any_id(), 1..4), all in any_circuits()) {
        let cids: Vec<&str> = cids.iter().map(String::as_str).collect();
        let circuits = matched(&cids, &all);
        for cid in cids {
            let Some(found) = circuits.get(cid) else { continue };
            let of = all.iter().find(|circuit| circuit.id == found).unwrap();
            let fitting: Vec<_> = all.iter().filter(|circuit| fits(cid, circuit)).map(|circuit| circuit.id).collect();
            prop_assert!(of.cid == cid || fitting == [found], "{} {:?}", cid, all);
        }
    }

    #[test]
    fn another_circuit_never_moves_a_match(cid in any_id(), all in any_circuits(), (other, alias) in (any_id(), option::of(any_id()))) {
        let added = NamedCircuit { aliases: alias.into_iter().collect(), ..circuit(99, &other) };
        prop_assume!(all.iter().all(|circuit| circuit.cid != other));
        let before = matched(&[&cid], &all).get(&cid);
        let with: Vec<_> = all.iter().cloned().chain([added.clone()]).collect();
        let after = matched(&[&cid], &with).get(&cid);
        if fits(&cid, &added) {
            prop_assert!(after.is_none() || after == before || after == Some(added.id), "{:?} {:?}", before, after);
        } else {
            prop_assert_eq!(after, before);
        }
    }

    #[test]
    fn every_spelling_of_an_id_finds_its_circuit_and_two_of_one_id_none(
        (stored, other, asked) in words().prop_flat_map(|words| {
            let spelled = || spelling_of(words.clone());
            (spelled(), spelled(), spelled())
        })
    ) {
        prop_assume!(!Spelling::of(&stored).is_empty());
        prop_assert_eq!(ids(&[&asked], &[circuit(1, &stored)]), [Some(1)]);
        if stored != other {
            let all = [circuit(1, &stored), circuit(2, &other)];
            let expected = all.iter().find(|circuit| circuit.cid == asked).map(|circuit| circuit.id);
            prop_assert_eq!(matched(&[&asked], &all).get(&asked), expected);
        }
    }

    #[test]
    fn no_id_makes_it_panic(cid in any::<String>(), stored in any::<String>()) {
        let mut one = circuit(1, &stored);
        one.aliases = vec![stored.clone()];
        let circuits = matched(&[&cid], &[one]);
        let said = circuits.unknown_of("Zayo", &[cid.as_str()].into()).unwrap();
        prop_assert!(!said.chars().any(char::is_control));
        prop_assert!(circuits.get(&cid).is_none() || !Spelling::of(&cid).is_empty() || cid == stored);
    }
}
