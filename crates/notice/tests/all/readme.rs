//! The README names every carrier that we read.

use notice::providers::ALL;

use crate::support;

#[test]
fn the_readme_names_every_provider() {
    let readme = std::fs::read_to_string(support::repository().join("README.md")).unwrap();
    let folded = readme.split_whitespace().collect::<Vec<_>>().join(" ");
    let missing: Vec<_> = ALL
        .iter()
        .filter(|provider| provider.slug != "genericprovider" && !folded.contains(provider.name))
        .map(|provider| provider.name)
        .collect();
    assert!(missing.is_empty(), "README.md does not name {missing:?}");
}
