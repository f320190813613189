//! The README names every carrier that we read.

use handler::maintenance::{provider::LearnedFrom, providers::ALL};

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

#[test]
fn the_readme_says_how_each_format_is_known() {
    let readme = std::fs::read_to_string(support::repository().join("README.md")).unwrap();
    let paragraph = |start: &str| {
        let found = readme.split("\n\n").find(|paragraph| paragraph.starts_with(start)).unwrap();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (learned, published) = (paragraph("Learned from real mails"), paragraph("Known from what is published alone"));
    for provider in ALL.iter().filter(|provider| provider.slug != "genericprovider") {
        let is_published = provider.learned_from == LearnedFrom::PublicKnowledge;
        assert_eq!(published.contains(provider.name), is_published, "{}", provider.name);
        assert_eq!(learned.contains(provider.name), !is_published, "{}", provider.name);
    }
}
