//! The page `docs/carriers.md` names every carrier that we read.

use notice::providers::ALL;

use crate::support;

#[test]
fn the_page_of_carriers_names_every_provider() {
    let page = std::fs::read_to_string(support::repository().join("docs/carriers.md")).unwrap();
    let folded = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing: Vec<_> = ALL
        .iter()
        .filter(|provider| provider.slug != "genericprovider" && !folded.contains(provider.name))
        .map(|provider| provider.name)
        .collect();
    assert!(missing.is_empty(), "docs/carriers.md does not name {missing:?}");
}
