//! Tests circuits that people have written in another way than the carrier, in a real NetBox.

use serde_json::{Value, json};

use super::{
    notice::{DOMAIN, Notice},
    pipeline::Pipeline,
    proxy::Proxy,
    server::NetBox,
};

const FIELD: &str = "carrier_ids";

/// A NetBox with circuits of two carriers and a custom field, which is removed in the end.
struct Filled<'netbox> {
    netbox: &'netbox NetBox,
    field: Value,
}

impl Drop for Filled<'_> {
    fn drop(&mut self) {
        self.netbox.delete(&format!("extras/custom-fields/{}", self.field));
    }
}

fn fill(netbox: &NetBox) -> Filled<'_> {
    netbox.empty();
    let cids = |cids: &[&str]| cids.iter().map(|cid| (*cid).to_owned()).collect();
    let ours = ["OGYX/123456//ZYO", "LINE-1", "line 1", "CARRIER-777777", "A-1/2", "NAMED", "ENDS"];
    let others = ["OGYX 123456 ZYO", "LINE/1", "A-12", "XC-1001"];
    netbox.fill(&[(DOMAIN.to_owned(), cids(&ours)), ("another.example".to_owned(), cids(&others))].into());
    let field = json!({"name": FIELD, "type": "longtext", "object_types": ["circuits.circuit"]});
    let filled = Filled { netbox, field: netbox.post("extras/custom-fields", &field)["id"].clone() };
    let circuit = |cid: &str| {
        let all = netbox.all("circuits/circuits");
        all.into_iter().find(|circuit| circuit["cid"] == cid).unwrap_or_else(|| panic!("no circuit {cid}"))["id"]
            .clone()
    };
    netbox.patch(
        &format!("circuits/circuits/{}", circuit("NAMED")),
        &json!({"custom_fields": {FIELD: "CUST-9, CUST-10"}}),
    );
    let sites = netbox.all("dcim/sites");
    let site = sites.first().cloned().unwrap_or_else(|| netbox.post("dcim/sites", &json!({"name": "s", "slug": "s"})));
    netbox.post(
        "circuits/circuit-terminations",
        &json!({"circuit": circuit("ENDS"), "term_side": "A", "termination_type": "dcim.site", "termination_id": site["id"], "xconnect_id": "XC-1001"}),
    );
    filled
}

/// Returns the notifications in the queue of mails for a person.
fn queue(netbox: &NetBox) -> usize {
    netbox.content().notifications.iter().filter(|mail| mail["circuitmaintenance"].is_null()).count()
}

#[test]
fn an_entry_for_a_person_is_closed_once_the_mail_is_delivered_again_and_nothing_is_left_to_look_at() {
    let Some(netbox) = NetBox::with_one_line() else { return };
    let mut notice = Notice { cids: vec!["LINE-1", "LINE-2", "LINE-3"], ..Notice::new("CHG-1") };
    let deliver = |notice: &Notice| {
        let pipeline = Pipeline::new(&netbox.url, netbox.token(""), DOMAIN);
        let path = pipeline.mail("notice.eml", notice.mail());
        pipeline.deliver(&[path]).mails[0]["outcome"].clone()
    };
    notice.text = "Another mail.".to_owned();
    let another = Notice { cids: vec!["LINE-9"], ..Notice::new("CHG-2") };
    assert_eq!((deliver(&notice), deliver(&another), queue(&netbox)), (json!("for_person"), json!("for_person"), 2));
    let add = |cid: &str| netbox.fill_with(DOMAIN, cid);
    add("LINE-2");
    assert_eq!((deliver(&notice), queue(&netbox)), (json!("for_person"), 2), "one of its circuits is still not there");
    add("line/3");
    assert_eq!((deliver(&notice), queue(&netbox)), (json!("delivered"), 1), "the other mail's entry stays");
    let content = netbox.content();
    let of_event: Vec<_> =
        content.notifications.iter().filter(|mail| mail["circuitmaintenance"]["name"] == "CHG-1").collect();
    assert_eq!((of_event.len(), content.impacts.len()), (2, 3), "the mail, and what was said of it");
    assert_eq!((deliver(&notice), netbox.content()), (json!("delivered"), content));
}

#[test]
fn circuits_are_found_as_people_write_them_and_never_another_one() {
    let Some(netbox) = NetBox::find() else { return };
    let _filled = fill(&netbox);
    let proxy = Proxy::start(&netbox.url, 0);
    for (number, (cid, expected, calls)) in [
        ("LINE-1", Some("LINE-1"), 7),
        ("ogyx  123456/zyo", Some("OGYX/123456//ZYO"), 10),
        ("Carrier OGYX/123456/ZYO", Some("OGYX/123456//ZYO"), 10),
        ("777777", Some("CARRIER-777777"), 10),
        ("a 1 2", Some("A-1/2"), 10),
        ("cust 9", Some("NAMED"), 10),
        ("XC 1001", Some("ENDS"), 10),
        ("Line_1", None, 12),
        ("A-12", None, 12),
    ]
    .into_iter()
    .enumerate()
    {
        let notice = Notice { cids: vec![cid], ..Notice::new(format!("CHG-{number}")) };
        let before = proxy.calls().len();
        let pipeline = Pipeline::new(&proxy.url, netbox.token(""), DOMAIN).with_aliases(FIELD);
        let path = pipeline.mail("notice.eml", notice.mail());
        let mail = pipeline.deliver(&[path]).mails[0].clone();
        let asked = proxy.calls().split_off(before);
        assert_eq!(mail["outcome"], if expected.is_some() { "delivered" } else { "for_person" }, "{cid}: {mail}");
        let content = netbox.content();
        let event = content.events().into_iter().find(|event| event.name == notice.id).unwrap();
        assert_eq!(event.impacts.keys().map(String::as_str).collect::<Vec<_>>(), expected.as_slice(), "{cid}");
        assert!(asked.len() <= calls, "{cid}: {asked:#?}");
        let said = mail["reason"].as_str().unwrap_or_default();
        match cid {
            "LINE-1" => assert_eq!(said, ""),
            "Line_1" => assert!(
                said.contains("`Line_1` (alike there: `LINE-1`, `line 1`); once they are there, `provision replay`"),
                "{said}"
            ),
            "A-12" => assert!(said.contains("`A-12` (alike there: `A-1/2`)"), "{said}"),
            _ => assert_eq!(said, format!("`{cid}` is NetBox's `{}`", expected.unwrap())),
        }
    }
}
