//! The table of addresses, and the many ways to write one in a URL.

use reqwest::Url;
use reqwest::dns::Resolve;

use super::super::address::Reach;
use super::super::hop::Hop;
use super::super::pattern::{Access, literal};
use super::super::resolve::Checked;
use super::{Script, gate_of, get, patterns};
use crate::plugin::egress::Refusal;

fn all(expected: Reach, addresses: &[&str]) {
    for address in addresses {
        assert_eq!(Reach::of(address.parse().unwrap()), expected, "{address}");
    }
}

#[test]
fn the_internet_is_public_up_to_the_edges_of_other_ranges() {
    all(
        Reach::Public,
        &[
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.0",
            "192.0.3.0",
            "192.167.255.255",
            "192.169.0.0",
            "192.88.98.255",
            "192.88.100.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "1.0.0.0",
            "2606:4700:4700::1111",
            "2001:4860:4860::8888",
            "2001:200::1",
            "2001:db7::1",
            "2001:db9::1",
            "2000::1",
            "2a00:1450::1",
            "3ffe::1",
            "2003::1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
        ],
    );
}

#[test]
fn this_machine_and_its_networks_are_private() {
    all(
        Reach::Private,
        &[
            "127.0.0.1",
            "127.255.255.255",
            "127.1.2.3",
            "10.0.0.0",
            "10.255.255.255",
            "172.16.0.0",
            "172.31.255.255",
            "192.168.0.0",
            "192.168.255.255",
            "169.254.0.0",
            "169.254.255.255",
            "169.254.169.253",
            "100.64.0.0",
            "100.127.255.255",
            "192.0.0.0",
            "192.0.0.255",
            "198.18.0.0",
            "198.19.255.255",
            "192.0.2.0",
            "192.0.2.255",
            "198.51.100.7",
            "203.0.113.255",
            "192.88.99.1",
            "240.0.0.0",
            "255.255.255.254",
            "::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "feff::1",
            "fc00::1",
            "fdff::1",
            "2001:db8::",
            "2001:db8:ffff::1",
            "3fff::1",
            "3fff:fff::1",
            "100::1",
            "2001:2::1",
            "2001:10::1",
            "2001:1ff::1",
            "4000::1",
            "5f00::1",
            "1::1",
            "::2:0:0:1",
        ],
    );
}

#[test]
fn addresses_within_addresses_are_looked_at_again() {
    all(
        Reach::Private,
        &[
            "::ffff:127.0.0.1",
            "::ffff:7f00:1",
            "::ffff:10.1.2.3",
            "::ffff:192.168.1.1",
            "::127.0.0.1",
            "::8.8.8.8",
            "::a00:1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2002:c0a8:101::1",
            "2002:808:808::1",
            "64:ff9b::127.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::c0a8:1",
            "64:ff9b:1::8.8.8.8",
            "64:ff9b:1:ffff::10.0.0.1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001::8080:fefe",
            "64:ff9b:0:0:0:1::1",
            "::ffff:0:127.0.0.1",
        ],
    );
    all(
        Reach::Metadata,
        &[
            "::ffff:169.254.169.254",
            "::ffff:a9fe:a9fe",
            "::169.254.169.254",
            "2002:a9fe:a9fe::1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::169.254.169.254",
            "64:ff9b:1:a9fe:a9:fe00::",
            "2001::5601:5601",
            "2001:0:a9fe:a9fe::f7f7:f7f7",
        ],
    );
    all(
        Reach::Nowhere,
        &["::2", "::ffff:0.0.0.0", "::ffff:224.0.0.1", "64:ff9b::0.0.0.0", "2002::1"],
    );
}

#[test]
fn metadata_services_are_known_by_address() {
    all(
        Reach::Metadata,
        &[
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
        ],
    );
}

#[test]
fn nothing_leads_to_no_host_or_to_many() {
    all(
        Reach::Nowhere,
        &[
            "0.0.0.0",
            "0.0.0.1",
            "0.255.255.255",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "::",
            "ff00::",
            "ff02::1",
            "ffff::1",
        ],
    );
}

#[test]
fn a_private_grant_extends_to_private_addresses_and_no_further() {
    let reached = |access| {
        [Reach::Public, Reach::Private, Reach::Metadata, Reach::Nowhere]
            .map(|reach: Reach| reach.is_within(access))
    };
    assert_eq!(reached(Access::Denied), [false, false, false, false]);
    assert_eq!(reached(Access::Public), [true, false, false, false]);
    assert_eq!(reached(Access::Private), [true, true, false, false]);
}

#[test]
fn odd_spellings_of_an_address_are_read_as_that_address() {
    for (text, expected) in [
        ("http://2130706433/", "127.0.0.1"),
        ("http://0x7f000001/", "127.0.0.1"),
        ("http://0x7f.1/", "127.0.0.1"),
        ("http://0X7F.0.0.0x1/", "127.0.0.1"),
        ("http://017700000001/", "127.0.0.1"),
        ("http://0177.0.0.1/", "127.0.0.1"),
        ("http://127.1/", "127.0.0.1"),
        ("http://127.0.1/", "127.0.0.1"),
        ("http://127.0.0.1./", "127.0.0.1"),
        ("http://127%2e0%2e0%2e1/", "127.0.0.1"),
        ("http://%31%32%37.0.0.1/", "127.0.0.1"),
        ("http://１２７.０.０.１/", "127.0.0.1"),
        ("http://①②⑦.⓪.⓪.①/", "127.0.0.1"),
        ("http://127。0。0。1/", "127.0.0.1"),
        ("http://127.0.0.1\\@good.example/", "127.0.0.1"),
        ("http:127.0.0.1/", "127.0.0.1"),
        ("http:\\\\127.0.0.1/", "127.0.0.1"),
        ("http:////127.0.0.1/", "127.0.0.1"),
        (" \thttp://127.0.\n0.1/", "127.0.0.1"),
        ("http://good.example@127.0.0.1/", "127.0.0.1"),
        ("http://good.example:80@127.0.0.1:80/", "127.0.0.1"),
        ("http://0/", "0.0.0.0"),
        ("http://0x0/", "0.0.0.0"),
        ("http://2852039166/", "169.254.169.254"),
        ("http://0xa9fea9fe/", "169.254.169.254"),
        ("http://0251.0376.0251.0376/", "169.254.169.254"),
        ("http://169.254.43518/", "169.254.169.254"),
        ("http://[::1]/", "::1"),
        ("http://[0:0:0:0:0:0:0:1]/", "::1"),
        ("http://[0000::0001]/", "::1"),
        ("http://[::]/", "::"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1"),
        ("http://[::FFFF:7F00:1]/", "::ffff:127.0.0.1"),
        ("http://[::ffff:169.254.169.254]/", "::ffff:169.254.169.254"),
        ("http://[64:ff9b::a9fe:a9fe]/", "64:ff9b::a9fe:a9fe"),
    ] {
        let url = Url::parse(text).unwrap();
        assert_eq!(literal(&url), Some(expected.parse().unwrap()), "{text}");
        assert_ne!(Reach::of(literal(&url).unwrap()), Reach::Public, "{text}");
    }
}

#[test]
fn spellings_that_are_no_address_are_no_url() {
    for text in [
        "http://256.0.0.1/",
        "http://4294967296/",
        "http://1.2.3.4.5/",
        "http://0x7f.0.0.0.1/",
        "http://127.0.0.1.x.08/",
        "http://[::1%25lo]/",
        "http://[fe80::1%eth0]/",
        "http://[::1]x/",
        "http://::1/",
        "http://127.0.0.1 .example/",
        "http:///",
        "http://ex%00/",
    ] {
        assert!(Url::parse(text).is_err(), "{text}");
    }
}

#[tokio::test]
async fn an_odd_spelling_is_refused_before_any_look_up() {
    let script = Script::new(&[&["127.0.0.1"]]);
    let gate = gate_of(&script);
    let public = patterns(&["http://*:*", "https://*:*"]);
    for url in [
        "http://2130706433:9/",
        "http://0x7f.1:9/",
        "http://[::ffff:127.0.0.1]:9/",
        "http://127.1:9/",
        "http://１２７.０.０.１:9/",
        "https://[::1]:9/",
        "http://0:9/",
        "http://169.254.169.254/latest/",
        "http://[fd00:ec2::254]/",
        "http://127.0.0.1.:9/",
    ] {
        let errand = super::Errand { public: &public, ..get(url, &[]) };
        let refused = gate.fetch(errand).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Denied(_)), "{url}: {refused:?}");
    }
    assert_eq!(script.asked(), 0);
}

#[tokio::test]
async fn names_that_mean_this_machine_are_refused_by_their_address() {
    let script = Script::new(&[&["127.0.0.1", "::1"]]);
    let gate = gate_of(&script);
    let public = patterns(&["http://*:*"]);
    for url in ["http://localhost:9/", "http://localhost.:9/", "http://LOCALHOST:9/"] {
        let errand = super::Errand { public: &public, ..get(url, &[]) };
        let Refusal::Denied(say) = gate.fetch(errand).await.unwrap_err() else { panic!("{url}") };
        assert!(say.contains("a private address"), "{say}");
        assert!(say.contains("http-private=http://localhost"), "{say}");
        assert!(!say.contains("127.0.0.1") && !say.contains("::1"), "{say}");
    }
    assert_eq!(script.asked(), 3);
}

#[tokio::test]
async fn only_the_addresses_that_may_be_reached_come_out_of_a_look_up() {
    let script = Script::new(&[
        &["10.0.0.1", "8.8.8.8", "::1", "2606:4700::1", "169.254.169.254"],
        &["10.0.0.1"],
    ]);
    let public = Checked { lookup: script, access: Access::Public };
    let name = || "flip.example".parse().unwrap();
    let first: Vec<_> = public.resolve(name()).await.unwrap().collect();
    assert_eq!(first, ["8.8.8.8:0".parse().unwrap(), "[2606:4700::1]:0".parse().unwrap()]);
    // The name changed its mind: the second look-up is checked as the first one was.
    assert!(public.resolve(name()).await.is_err());
}

#[tokio::test]
async fn metadata_needs_a_grant_of_exactly_its_address() {
    let url = "http://169.254.169.254:1/";
    let gate = super::gate();
    for grants in [&["http://*:*"][..], &["http://*:1"], &["http://169.254.169.253:1"]] {
        let private = patterns(grants);
        let refused = gate.fetch(get(url, &private)).await.unwrap_err();
        assert!(matches!(&refused, Refusal::Denied(_)), "{grants:?}: {refused:?}");
    }
    // Looked at and not sent: a test is not to ask the network that it runs in.
    let private = patterns(&["http://169.254.169.254:1"]);
    assert!(Hop::first(&get(url, &private)).is_ok());
    let public = patterns(&["http://169.254.169.254:1"]);
    assert!(Hop::first(&super::Errand { public: &public, ..get(url, &[]) }).is_err());
}
