//! Domains that many senders share.

use mail::Domain;

/// Carriers' domains that others write from too, with those who write notices there: addresses, or
/// subdomains.
const SHARED: &[(&str, &[&str])] = &[
    ("amazon.com", &["no-reply-aws@amazon.com", "aws-account-notifications@amazon.com"]),
    ("aws.com", &["health@aws.com", "no-reply@aws.com"]),
    ("apple.com", &["peering-noc@group.apple.com"]),
    ("google.com", &["noc-noreply@google.com"]),
    ("netflix.com", &["cdnetops@netflix.com", "saasmail.netflix.com"]),
    ("superonline.net", &["inoc@superonline.net"]),
];

/// Domains at which anybody can have an address.
const PUBLIC_MAIL: &[&str] = &[
    "126.com",
    "139.com",
    "163.com",
    "aim.com",
    "aol.com",
    "bluewin.ch",
    "bt.com",
    "btinternet.com",
    "bigpond.com",
    "comcast.net",
    "cox.net",
    "duck.com",
    "email.com",
    "fastmail.com",
    "fastmail.fm",
    "foxmail.com",
    "free.fr",
    "freenet.de",
    "gmail.com",
    "gmx.at",
    "gmx.ch",
    "gmx.com",
    "gmx.de",
    "gmx.eu",
    "gmx.fr",
    "gmx.net",
    "gmx.org",
    "googlegroups.com",
    "googlemail.com",
    "groups.io",
    "hey.com",
    "hotmail.ca",
    "hotmail.co.uk",
    "hotmail.com",
    "hotmail.de",
    "hotmail.es",
    "hotmail.fr",
    "hotmail.it",
    "hushmail.com",
    "icloud.com",
    "inbox.com",
    "inbox.lv",
    "interia.pl",
    "laposte.net",
    "libero.it",
    "live.ca",
    "live.co.uk",
    "live.com",
    "live.de",
    "live.fr",
    "live.nl",
    "mac.com",
    "mail.com",
    "mail.de",
    "mail.ru",
    "mailbox.org",
    "mailfence.com",
    "mailinator.com",
    "me.com",
    "msn.com",
    "naver.com",
    "o2.pl",
    "onet.pl",
    "onmicrosoft.com",
    "orange.fr",
    "outlook.com",
    "outlook.com.br",
    "outlook.de",
    "outlook.es",
    "outlook.fr",
    "outlook.it",
    "outlook.jp",
    "pm.me",
    "posteo.de",
    "proton.me",
    "protonmail.ch",
    "protonmail.com",
    "qq.com",
    "rediffmail.com",
    "rocketmail.com",
    "seznam.cz",
    "sfr.fr",
    "sina.com",
    "sohu.com",
    "t-online.de",
    "tiscali.it",
    "tuta.io",
    "tutanota.com",
    "tutanota.de",
    "verizon.net",
    "vivaldi.net",
    "wanadoo.fr",
    "web.de",
    "windowslive.com",
    "wp.pl",
    "yahoo.ca",
    "yahoo.co.in",
    "yahoo.co.jp",
    "yahoo.co.uk",
    "yahoo.com",
    "yahoo.com.ar",
    "yahoo.com.au",
    "yahoo.com.br",
    "yahoo.com.mx",
    "yahoo.de",
    "yahoo.es",
    "yahoo.fr",
    "yahoo.it",
    "yahoogroups.com",
    "yandex.com",
    "yandex.ru",
    "ymail.com",
    "zoho.com",
    "zohomail.com",
];

/// Second-level labels below which country registries give out names: `co.uk`.
const REGISTRY_LABELS: [&str; 14] =
    ["ac", "co", "com", "edu", "gob", "gov", "govt", "gv", "ne", "net", "nom", "or", "org", "plc"];

/// Returns whether a domain is one of these, or below one.
pub(super) fn is_within_any(domain: &str, parents: &[&str]) -> bool {
    Domain::new(domain).is_some_and(|domain| parents.iter().any(|parent| domain.is_within(parent)))
}

/// Returns whether an address writes notices for the provider with that domain.
pub(super) fn is_desk(provider_domain: &str, address: &str, domain: &Domain) -> bool {
    let Some((_, desks)) = SHARED.iter().find(|(shared, _)| *shared == provider_domain) else { return true };
    desks.iter().any(|desk| if desk.contains('@') { address == *desk } else { domain.is_within(desk) })
}

/// Returns whether anybody can have an address at that very domain, or a domain below it.
pub fn is_public(domain: &Domain) -> bool {
    is_registry(domain) || PUBLIC_MAIL.contains(&domain.as_str())
}

/// Returns whether a registry gives out names below a domain, such as `com` and `co.uk`: nobody has an address at it.
pub(super) fn is_registry(domain: &Domain) -> bool {
    let labels: Vec<&str> = domain.as_str().split('.').collect();
    match labels.as_slice() {
        [_] => true,
        [second, top] => top.len() == 2 && REGISTRY_LABELS.contains(second),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use carriers::providers;

    #[test]
    fn domains_open_to_everybody_are_public() {
        let is = |name: &str| is_public(&Domain::new(name).unwrap());
        for public in
            ["gmail.com", "outlook.com", "gmx.net", "co.uk", "com.au", "com", "googlegroups.com", "onmicrosoft.com"]
        {
            assert!(is(public), "{public}");
        }
        for own in
            ["customer.example", "noc.customer.example", "bt.example", "customer.co.uk", "customer.onmicrosoft.com"]
        {
            assert!(!is(own), "{own}");
        }
    }

    #[test]
    fn shared_domains_are_carriers_and_their_desks_are_below_them() {
        for (shared, desks) in SHARED {
            assert!(providers::ALL.iter().any(|provider| provider.domains.contains(shared)), "{shared}");
            for desk in *desks {
                let domain = desk.rsplit('@').next().and_then(Domain::new).unwrap();
                assert!(domain.is_within(shared), "{desk}");
            }
        }
    }
}
