//! The documentation names every carrier that we read, and says how its format is known.

use carriers::providers::ALL;
use notice::provider::LearnedFrom;

use crate::support;

#[test]
fn the_documentation_says_how_each_format_is_known() {
    let page = std::fs::read_to_string(support::repository().join("docs/carriers.md")).unwrap();
    let section = |title: &str| {
        let found = page.split("\n## ").find(|section| section.starts_with(title)).unwrap();
        found.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let (learned, published) = (section("Learned from real mails"), section("Known from published descriptions only"));
    for provider in ALL.iter().filter(|provider| provider.slug != "genericprovider") {
        let is_published = provider.learned_from == LearnedFrom::PublicKnowledge;
        assert_eq!(published.contains(provider.name), is_published, "{}", provider.name);
        assert_eq!(learned.contains(provider.name), !is_published, "{}", provider.name);
    }
}
