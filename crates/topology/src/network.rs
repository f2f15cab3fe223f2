//! Networks as they are written: address/bits.

use ipnet::IpNet;

use crate::read::Table;

/// Why a text is not a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadNetwork {
    #[error("it is not address/bits")]
    NotCidr,
    #[error("the address has bits beyond the network {0}")]
    BitsBeyond(IpNet),
}

/// Reads a network whose address is its first.
pub(crate) fn read_network(text: &str) -> Result<IpNet, BadNetwork> {
    let net = text.parse::<IpNet>().map_err(|_| BadNetwork::NotCidr)?;
    if net.addr() == net.network() { Ok(net) } else { Err(BadNetwork::BitsBeyond(net.trunc())) }
}

/// A list of networks; what is none is reported and left out.
pub(crate) fn read_networks(table: &mut Table<'_>, key: &'static str, example: &str) -> Vec<IpNet> {
    let mut networks = Vec::new();
    for text in table.texts(key, example).map(|list| list.value).unwrap_or_default() {
        match read_network(&text.value) {
            Ok(net) => networks.push(net),
            Err(why) => {
                let advice = match why {
                    BadNetwork::BitsBeyond(net) => format!("{key} = [\"{net}\"]"),
                    BadNetwork::NotCidr => example.to_owned(),
                };
                table.add(&text.span, format!("bad network {:?}: {why}", text.value), advice);
            }
        }
    }
    networks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_begins_with_its_own_address() {
        assert_eq!(read_network("10.1.0.0/16"), Ok("10.1.0.0/16".parse().unwrap()));
        assert_eq!(read_network("10.1.2.3/16"), Err(BadNetwork::BitsBeyond("10.1.0.0/16".parse().unwrap())));
        assert_eq!(read_network("10.1.2.3"), Err(BadNetwork::NotCidr));
    }
}
