//! Tests NetBox over TLS, with a certificate of an authority that only `NETBOX_CA` names.

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    proxy::Proxy,
    server::NetBox,
};

#[test]
fn an_authority_of_ones_own_is_trusted_when_it_is_named_and_not_otherwise() {
    let Some(netbox) = NetBox::find() else { return };
    netbox.empty();
    netbox.fill(&[(DOMAIN.to_owned(), ["LINE-1".to_owned()].into())].into());
    let (proxy, authority) = Proxy::with_tls(&netbox.url);
    let deliver = |ca: Option<&str>| {
        let pipeline = Pipeline::new(&proxy.url, netbox.token(""), DOMAIN);
        let path = pipeline.mail("notice.eml", Notice::new("CHG-1").mail());
        pipeline.with_authority(ca).deliver(&[path]).mails[0].clone()
    };
    let refused = deliver(None);
    assert_eq!(refused["outcome"], "failed");
    assert!(refused["reason"].as_str().unwrap().contains("invalid peer certificate: UnknownIssuer"), "{refused}");
    assert_eq!(netbox.content().events.len(), 0);
    assert_eq!(deliver(Some(&authority))["outcome"], "delivered");
    assert_eq!(netbox.content().notifications.len(), 1);
}

#[test]
fn a_certificate_that_signs_itself_is_trusted_when_it_is_named_and_no_other_is() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let (proxy, own) = Proxy::self_signed(&netbox.url);
    let (_, another) = Proxy::self_signed(&netbox.url);
    for (ca, outcome) in [(&another, "failed"), (&own, "delivered")] {
        let pipeline = Pipeline::new(&proxy.url, netbox.token(""), DOMAIN).with_authority(Some(ca));
        let path = pipeline.mail("notice.eml", Notice::new("CHG-1").mail());
        let mail = pipeline.deliver(&[path]).mails[0].clone();
        assert_eq!(mail["outcome"], outcome, "{mail}");
        let said = mail["reason"].as_str().unwrap_or_default();
        assert_eq!(said.contains("invalid peer certificate"), outcome == "failed", "{mail}");
    }
}
