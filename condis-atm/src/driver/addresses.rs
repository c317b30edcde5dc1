//! The address OIDs between a client and an ATM manager.
//!
//! A CO_ADDRESS is its size (4, always 28 here) and an ATM_ADDRESS; a CO_ADDRESS_LIST the number there are (4), the number that
//! follow (4), and so many CO_ADDRESSes.

use condis::oid::{OidRequest, code};

use super::ParamsError;
use super::shapes::{self, ADDRESS_OCTETS, AddressField, Reader};
use crate::addr::AtmAddress;

/// Octets of a CO_ADDRESS.
const ENTRY_OCTETS: usize = 4 + ADDRESS_OCTETS;

/// OID_CO_ADD_ADDRESS: an alias of the client, beside those that all have.
pub fn add_address_request(address: &AtmAddress) -> OidRequest {
    OidRequest::set(code::CO_ADD_ADDRESS, entry(address))
}

/// OID_CO_DELETE_ADDRESS.
pub fn delete_address_request(address: &AtmAddress) -> OidRequest {
    OidRequest::set(code::CO_DELETE_ADDRESS, entry(address))
}

/// OID_CO_GET_ADDRESSES, with room for so many.
pub fn get_addresses_request(addresses_max: usize) -> OidRequest {
    OidRequest::query(code::CO_GET_ADDRESSES, 8 + addresses_max * ENTRY_OCTETS)
}

/// What an OID_CO_GET_ADDRESSES was answered with.
///
/// # Errors
/// See [`ParamsError`].
pub fn addresses_of(answer: &OidRequest) -> Result<Vec<AtmAddress>, ParamsError> {
    let mut from = Reader::new(answer.written());
    let (_, count) = (from.u32()?, from.u32()?);
    let mut addresses = Vec::new();
    for _ in 0..count {
        addresses.push(take_entry(&mut from)?);
    }
    from.end()?;
    Ok(addresses)
}

/// Reads the buffer of an OID that adds or deletes an address.
pub(super) fn address_of(buffer: &[u8]) -> Result<AtmAddress, ParamsError> {
    let mut from = Reader::new(buffer);
    let address = take_entry(&mut from)?;
    from.end()?;
    Ok(address)
}

/// The answer to an OID_CO_GET_ADDRESSES, with as many as there is room for.
pub(super) fn list(addresses: &[AtmAddress], room: usize) -> Vec<u8> {
    let fit = addresses.len().min(room.saturating_sub(8) / ENTRY_OCTETS);
    let mut octets = Vec::with_capacity(8 + fit * ENTRY_OCTETS);
    octets.extend((addresses.len() as u32).to_le_bytes());
    octets.extend((fit as u32).to_le_bytes());
    addresses[..fit].iter().for_each(|address| octets.extend(entry(address)));
    octets
}

fn entry(address: &AtmAddress) -> Vec<u8> {
    let mut octets = (ADDRESS_OCTETS as u32).to_le_bytes().to_vec();
    shapes::put_address(&mut octets, &AddressField::Is(address.clone()));
    octets
}

fn take_entry(from: &mut Reader<'_>) -> Result<AtmAddress, ParamsError> {
    if from.u32()? as usize != ADDRESS_OCTETS {
        return Err(ParamsError::Address);
    }
    match shapes::take_address(from)? {
        AddressField::Is(address) => Ok(address),
        _ => Err(ParamsError::Address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::addr::{E164, Esi};

    #[test]
    fn addresses_are_read_as_they_were_written() {
        let addresses = vec![
            AtmAddress::new([0x47; 13], Esi([1; 6]), 0),
            AtmAddress::E164(E164::new(b"4989636112").expect("digits")),
        ];
        for address in &addresses {
            let request = add_address_request(address);
            assert_eq!(address_of(&request.buffer).as_ref(), Ok(address));
            for len in 0..request.buffer.len() {
                assert!(address_of(&request.buffer[..len]).is_err());
            }
        }
        let answered = |room: usize| {
            let mut request = get_addresses_request(room);
            let octets = list(&addresses, request.buffer.len());
            assert!(request.write(&octets).ok().is_ok());
            addresses_of(&request)
        };
        assert_eq!(answered(2), Ok(addresses.clone()));
        assert_eq!(answered(1), Ok(addresses[..1].to_vec()));
        assert_eq!(answered(0), Ok(Vec::new()));
    }
}
