//! Answers of the query protocol: XML, read into elements.

use quick_xml::{Reader, XmlVersion, escape, events::Event};

/// An element of an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Element {
    /// Name of the element, without a prefix.
    pub name: String,
    /// Text of an element without elements in it; empty for others.
    pub text: String,
    /// Elements in it, in their order.
    pub elements: Vec<Element>,
}

impl Element {
    /// Reads a document and returns its outermost element.
    ///
    /// # Errors
    ///
    /// It is no XML, ends early, or has no element.
    pub fn read(document: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(document);
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().map_err(|error| error.to_string())? {
                Event::Start(start) => open.push(Self::named(start.local_name().as_ref())),
                Event::Empty(start) => close(&mut open, Self::named(start.local_name().as_ref())),
                Event::End(_) => {
                    let mut done = open.pop().unwrap_or_default();
                    // Between elements there is nothing but white space.
                    if !done.elements.is_empty() {
                        done.text.clear();
                    }
                    close(&mut open, done);
                }
                Event::Text(text) => say(&mut open, &text.xml_content(XmlVersion::Implicit1_0)),
                Event::CData(text) => say(&mut open, &text),
                Event::GeneralRef(name) => {
                    let text =
                        escape::unescape(&format!("&{};", &*name)).map_err(|error| error.to_string())?.into_owned();
                    say(&mut open, &text);
                }
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
        match open.as_slice() {
            [document] => document.elements.first().cloned().ok_or_else(|| "it has no element".to_owned()),
            _ => Err("it ends early".to_owned()),
        }
    }

    fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    /// Returns the first element at a path such as `vpc/vpcId`.
    pub fn at(&self, path: &str) -> Option<&Self> {
        path.split('/').try_fold(self, |element, name| element.elements.iter().find(|inner| inner.name == name))
    }

    /// Returns the text at a path; empty if it is not there.
    pub fn text(&self, path: &str) -> &str {
        self.at(path).map_or("", |element| &element.text)
    }

    /// Returns `true` if the text at a path is `true`.
    pub fn is(&self, path: &str) -> bool {
        self.text(path) == "true"
    }

    /// Returns the members of the list at a path, whatever they are called; none if it is not there.
    pub fn list(&self, path: &str) -> &[Self] {
        self.at(path).map_or(&[], |element| &element.elements)
    }

    /// Returns a text of each member of the list at a path; members without it are left out.
    pub fn texts(&self, path: &str, of_member: &str) -> impl Iterator<Item = String> {
        let texts = self.list(path).iter().filter_map(move |member| {
            let text = if of_member.is_empty() { &member.text } else { &member.at(of_member)?.text };
            (!text.is_empty()).then(|| text.clone())
        });
        texts.collect::<Vec<_>>().into_iter()
    }
}

fn close(open: &mut [Element], done: Element) {
    if let Some(last) = open.last_mut() {
        last.elements.push(done);
    }
}

fn say(open: &mut [Element], text: &str) {
    if let Some(last) = open.last_mut() {
        last.text.push_str(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer in EC2's API reference, `DescribeSubnets`, with one tag whose value has every escape.
    const SUBNETS: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeSubnetsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>7a62c49f-347e-4fc4-9331-6e8eEXAMPLE</requestId>
    <subnetSet>
        <item>
            <subnetId>subnet-9d4a7b6c</subnetId>
            <state>available</state>
            <vpcId>vpc-1a2b3c4d</vpcId>
            <cidrBlock>10.0.1.0/24</cidrBlock>
            <ipv6CidrBlockAssociationSet/>
            <availabilityZone>us-east-1a</availabilityZone>
            <mapPublicIpOnLaunch>false</mapPublicIpOnLaunch>
            <tagSet><item><key>a</key><value>b &amp; &lt;c&gt; &#228; <![CDATA[<d>]]></value></item></tagSet>
        </item>
        <item><subnetId>subnet-6e7f829e</subnetId><assignIpv6AddressOnCreation>true</assignIpv6AddressOnCreation></item>
    </subnetSet>
</DescribeSubnetsResponse>"#;

    #[test]
    fn an_answer_is_read_as_it_is() {
        let answer = Element::read(SUBNETS).unwrap();
        assert_eq!(answer.name, "DescribeSubnetsResponse");
        assert_eq!(answer.texts("subnetSet", "subnetId").collect::<Vec<_>>(), ["subnet-9d4a7b6c", "subnet-6e7f829e"]);
        let [first, second] = answer.list("subnetSet") else { panic!("{answer:?}") };
        assert_eq!(first.text("tagSet/item/value"), "b & <c> ä <d>");
        assert_eq!(first.at("ipv6CidrBlockAssociationSet"), Some(&Element::named("ipv6CidrBlockAssociationSet")));
        assert!(!first.is("mapPublicIpOnLaunch") && second.is("assignIpv6AddressOnCreation"));
        assert_eq!((second.text("vpcId"), second.list("tagSet").len()), ("", 0));
    }

    #[test]
    fn what_is_no_whole_document_is_an_error() {
        for (document, fault) in [
            ("", "no element"),
            ("no XML", "no element"),
            ("<a><b>text</b>", "ends early"),
            ("<a><b></a>", "b"),
            ("<a>&unknown;</a>", "unknown"),
        ] {
            let error = Element::read(document).unwrap_err();
            assert!(error.contains(fault), "{document}: {error}");
        }
    }
}
