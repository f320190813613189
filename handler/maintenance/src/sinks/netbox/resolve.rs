//! Finds the provider of a notice in NetBox, and the notice's circuits there.
//!
//! Circuits are looked up first by their exact ids, across all providers: the answer usually names the provider too. Providers are queried
//! only if that does not settle it, and all circuits of the provider only if one of the ids is not exactly one of theirs.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    circuits::Circuits,
    client::Client,
    fields,
    ids::ProviderId,
    records::Fault,
    spelling::Prefixes,
    stored::{StoredCircuit, StoredProvider},
};
use schedule::Announcement;

/// Finds the provider with one of these slugs or names, and those of its circuits that the notice names. `aliases` is the custom field with
/// other names of circuits.
pub(super) async fn provider_and_circuits(
    client: &Client,
    names: &[String],
    aliases: Option<&str>,
    announcement: &Announcement,
) -> Result<(StoredProvider, Circuits), Fault> {
    let cids: BTreeSet<&str> = announcement.circuits().collect();
    let circuits = client.circuits(&cids).await?;
    let owners: Vec<_> = circuits.iter().map(|circuit| circuit.provider.clone()).collect();
    let provider = match unique_match(names, &owners) {
        Some(provider) => provider?,
        None => fetch_provider(client, names).await?,
    };
    let known = circuits_of(&provider, circuits);
    let missing = known.missing(&cids);
    if missing.is_empty() {
        return Ok((provider, known));
    }
    let Some(all) = client.all_circuits(provider.id, aliases).await? else {
        return Ok((
            provider,
            known.not_searched(
                "there are too many of its circuits to look for another spelling in the time of an invocation"
                    .to_owned(),
            ),
        ));
    };
    let called = [provider.name.as_str(), provider.slug.as_str()].into_iter().chain(names.iter().map(String::as_str));
    let circuits = known.with_tolerance(&missing, &all, &Prefixes::of(called));
    Ok((provider, circuits))
}

/// Finds the provider by asking for providers.
async fn fetch_provider(client: &Client, names: &[String]) -> Result<StoredProvider, Fault> {
    let slugs: Vec<_> = names.iter().filter(|name| is_slug(name)).cloned().collect();
    let mut all = client.providers("slug", &slugs).await?;
    all.extend(client.providers("name__ie", names).await?);
    unique_match(names, &all).unwrap_or_else(|| {
        let names = quoted(names.iter().map(|name| fields::cut(name, fields::LONGEST_NAME)), " or ");
        Err(Fault::Refused(format!(
            "NetBox has no provider with the slug or name {names}: add it, or say in `NETBOX_PROVIDERS` which one is meant"
        )))
    })
}

/// Returns the one provider with one of these names, or, if there is none, the one whose name differs in case only; `None` if there is
/// none.
fn unique_match(names: &[String], providers: &[StoredProvider]) -> Option<Result<StoredProvider, Fault>> {
    let called = |is_it: fn(&StoredProvider, &str) -> bool| -> BTreeMap<ProviderId, &StoredProvider> {
        let found = providers.iter().filter(|provider| names.iter().any(|name| is_it(provider, name)));
        found.map(|provider| (provider.id, provider)).collect()
    };
    let exactly = called(is_called);
    let found = if exactly.is_empty() { called(is_alike) } else { exactly };
    let (_, first) = found.first_key_value()?;
    if found.len() == 1 {
        return Some(Ok((*first).clone()));
    }
    let of = quoted(names.iter().cloned(), " or ");
    let slugs = quoted(found.values().map(|provider| provider.slug.clone()), ", ");
    Some(Err(Fault::Refused(format!(
        "NetBox has several providers with the slug or name {of} ({slugs}): `NETBOX_PROVIDERS` can say which one is meant"
    ))))
}

/// Returns whether a provider has this slug or name. Both are unique in NetBox, names with their case.
fn is_called(provider: &StoredProvider, name: &str) -> bool {
    provider.slug == name || provider.name == name
}

fn is_alike(provider: &StoredProvider, name: &str) -> bool {
    provider.name.to_lowercase() == name.to_lowercase()
}

/// Returns the circuits of the provider: a CID is unique within its provider only.
fn circuits_of(provider: &StoredProvider, circuits: Vec<StoredCircuit>) -> Circuits {
    let ours = circuits.into_iter().filter(|circuit| circuit.provider.id == provider.id);
    ours.map(|circuit| (circuit.cid, circuit.id)).collect()
}

fn quoted(words: impl Iterator<Item = String>, between: &str) -> String {
    words.map(|word| format!("`{word}`")).collect::<Vec<_>>().join(between)
}

fn is_slug(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provider(id: u64, slug: &str, name: &str) -> StoredProvider {
        StoredProvider { id: ProviderId::new(id), slug: slug.to_owned(), name: name.to_owned() }
    }

    /// Returns the id of the matching provider; 0 if there are several.
    fn told(names: &[&str], providers: &[(&str, &str)]) -> Option<ProviderId> {
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let providers: Vec<_> = providers.iter().zip(1..).map(|((slug, name), id)| provider(id, slug, name)).collect();
        Some(unique_match(&names, &providers)?.map_or(ProviderId::new(0), |provider| provider.id))
    }

    #[test]
    fn a_provider_is_meant_by_its_slug_or_its_name_if_nobody_else_is() {
        let id = |id| Some(ProviderId::new(id));
        assert_eq!(told(&["gtt", "GTT"], &[("other", "Other"), ("gtt", "GTT Communications")]), id(2));
        assert_eq!(told(&["gtt", "GTT"], &[("gtt-legacy", "GTT")]), id(1));
        assert_eq!(told(&["gtt", "GTT"], &[("gtt", "GTT")]), id(1));
        assert_eq!(told(&["gtt", "GTT"], &[("gtt", "GTT Communications"), ("gtt-legacy", "GTT")]), id(0));
        assert_eq!(told(&["gtt", "GTT"], &[("gtt-2", "gtt communications")]), None);
        assert_eq!(told(&["carrier.example"], &[("a", "Carrier.example")]), id(1));
        assert_eq!(told(&["carrier.example"], &[("a", "Carrier.example"), ("b", "carrier.example")]), id(2));
        assert_eq!(told(&["carrier.example"], &[("a", "Carrier.example"), ("b", "CARRIER.example")]), id(0));
        // A configured name is one word.
        assert_eq!(told(&["gtt-legacy"], &[("gtt", "GTT Communications"), ("gtt-legacy", "GTT")]), id(2));
    }

    #[test]
    fn the_same_provider_found_twice_is_one() {
        let twice = [provider(7, "gtt", "GTT"), provider(7, "gtt", "GTT")];
        let told = unique_match(&["GTT".to_owned()], &twice);
        assert_eq!(told, Some(Ok(provider(7, "gtt", "GTT"))));
    }

    #[test]
    fn circuits_of_others_are_passed_over() {
        let circuit = |id, owner| StoredCircuit { id, cid: "C-1".to_owned(), provider: owner };
        let (ours, other) = (provider(1, "a", "A"), provider(2, "b", "B"));
        let id = crate::sinks::netbox::ids::CircuitId::new;
        let all = vec![circuit(id(10), other), circuit(id(11), ours.clone())];
        assert_eq!(circuits_of(&ours, all).get("C-1"), Some(id(11)));
    }
}
