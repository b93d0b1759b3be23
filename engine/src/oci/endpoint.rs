//! Where a region's services answer: <https://docs.oracle.com/en-us/iaas/Content/General/Concepts/regions.htm>.

/// A service, by the first part of its host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    ObjectStorage,
    Auth,
    Database,
    /// Of most services, the databases among them.
    WorkRequests,
    ResourceManager,
}

impl Service {
    fn host(self) -> &'static str {
        match self {
            Self::ObjectStorage => "objectstorage",
            Self::Auth => "auth",
            Self::Database => "database",
            Self::WorkRequests => "iaas",
            Self::ResourceManager => "resourcemanager",
        }
    }
}

/// Regions of realms other than the commercial one, by how their names begin, and the domain of their hosts.
const REALMS: &[(&str, &str)] = &[
    ("us-langley-", "oraclegovcloud.com"),
    ("us-luke-", "oraclegovcloud.com"),
    ("us-gov-", "oraclegovcloud.com"),
    ("uk-gov-", "oraclegovcloud.uk"),
    ("eu-madrid-2", "oraclecloud.eu"),
    ("eu-frankfurt-2", "oraclecloud.eu"),
];

/// Regions by the short names that metadata and tickets use.
const SHORT: &[(&str, &str)] = &[
    ("ams", "eu-amsterdam-1"),
    ("arn", "eu-stockholm-1"),
    ("bom", "ap-mumbai-1"),
    ("cdg", "eu-paris-1"),
    ("dxb", "me-dubai-1"),
    ("fra", "eu-frankfurt-1"),
    ("gru", "sa-saopaulo-1"),
    ("iad", "us-ashburn-1"),
    ("lhr", "uk-london-1"),
    ("nrt", "ap-tokyo-1"),
    ("ord", "us-chicago-1"),
    ("phx", "us-phoenix-1"),
    ("sin", "ap-singapore-1"),
    ("syd", "ap-sydney-1"),
    ("yyz", "ca-toronto-1"),
    ("zrh", "eu-zurich-1"),
];

/// A region's own name.
pub(super) fn region(name: &str) -> String {
    let name = name.trim().to_lowercase();
    SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, long)| (*long).to_owned())
}

/// The region of what an OCID names, where it says one: some are of no region, or of all.
pub fn region_of(ocid: &str) -> Option<String> {
    let mut parts = ocid.split('.');
    let named = parts.next().is_some_and(|part| part.starts_with("ocid1"));
    parts.nth(2).filter(|part| named && !part.is_empty()).map(region)
}

/// The domain of a region's hosts: what is said of it, else that of its realm.
pub(super) fn domain(region: &str, said: Option<String>) -> String {
    let known = REALMS.iter().find(|(begin, _)| region.starts_with(begin));
    said.unwrap_or_else(|| known.map_or("oraclecloud.com", |(_, domain)| *domain).to_owned())
}

/// The URL of a service's root.
pub(super) fn url(service: Service, region: &str, domain: &str) -> String {
    format!("https://{}.{region}.{domain}", service.host())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_region_has_its_hosts() {
        for (name, said, wanted) in [
            ("eu-frankfurt-1", None, "https://objectstorage.eu-frankfurt-1.oraclecloud.com"),
            ("FRA", None, "https://objectstorage.eu-frankfurt-1.oraclecloud.com"),
            ("us-gov-phoenix-1", None, "https://objectstorage.us-gov-phoenix-1.oraclegovcloud.com"),
            ("uk-gov-cardiff-1", None, "https://objectstorage.uk-gov-cardiff-1.oraclegovcloud.uk"),
            ("ap-chiyoda-1", Some("oraclecloud8.com"), "https://objectstorage.ap-chiyoda-1.oraclecloud8.com"),
        ] {
            let name = region(name);
            let domain = domain(&name, said.map(str::to_owned));
            assert_eq!(url(Service::ObjectStorage, &name, &domain), wanted);
        }
    }

    #[test]
    fn an_ocid_says_its_region() {
        for (ocid, wanted) in [
            ("ocid1.autonomousdatabase.oc1.eu-zurich-1.abc", Some("eu-zurich-1")),
            ("ocid1.autonomousdatabase.oc1.iad.abc", Some("us-ashburn-1")),
            ("ocid1.tenancy.oc1..abc", None),
            ("ocid1.tenancy", None),
            ("a.b.c.d.e", None),
            ("", None),
        ] {
            assert_eq!(region_of(ocid).as_deref(), wanted, "{ocid}");
        }
    }
}
