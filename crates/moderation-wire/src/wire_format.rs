//! Protobuf's fields, one by one, without a schema.

use prost::encoding::WireType;

/// Largest field number.
const MAX_NUMBER: u64 = (1 << 29) - 1;

/// A step through a message.
pub(crate) enum Next<'a> {
    /// There is no more.
    End,
    /// What follows makes no sense.
    Broken,
    /// A field's number and value.
    Field(u32, Value<'a>),
}

/// The value of a field.
pub(crate) enum Value<'a> {
    /// A number, as it is written.
    Scalar { wire_type: WireType, body: &'a [u8] },
    /// Bytes with a length. A cut one announces more than there is; all there is belongs to it.
    Delimited { body: &'a [u8], is_cut: bool },
    /// A group, which no schema uses any more.
    Group,
}

/// A walk over a message's bytes.
pub(crate) struct Walk<'a> {
    rest: &'a [u8],
}

impl<'a> Walk<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Goes to the next field. After `Broken` there is nothing to be had.
    pub(crate) fn next(&mut self) -> Next<'a> {
        if self.rest.is_empty() {
            return Next::End;
        }
        match self.field() {
            Some((number, value)) => Next::Field(number, value),
            None => {
                self.rest = &[];
                Next::Broken
            }
        }
    }

    fn field(&mut self) -> Option<(u32, Value<'a>)> {
        let (number, wire_type) = self.key()?;
        let value = match wire_type {
            0 => self.scalar(WireType::Varint)?,
            1 => self.scalar(WireType::SixtyFourBit)?,
            2 => self.delimited()?,
            3 => {
                self.skip_group()?;
                Value::Group
            }
            5 => self.scalar(WireType::ThirtyTwoBit)?,
            _ => return None,
        };
        Some((number, value))
    }

    fn key(&mut self) -> Option<(u32, u64)> {
        let key = self.varint()?;
        let number = key >> 3;
        (1..=MAX_NUMBER)
            .contains(&number)
            .then_some((number as u32, key & 7))
    }

    fn scalar(&mut self, wire_type: WireType) -> Option<Value<'a>> {
        let before = self.rest;
        match wire_type {
            WireType::Varint => {
                self.varint()?;
            }
            WireType::SixtyFourBit => {
                self.take(8)?;
            }
            _ => {
                self.take(4)?;
            }
        }
        let body = &before[..before.len() - self.rest.len()];
        Some(Value::Scalar { wire_type, body })
    }

    fn delimited(&mut self) -> Option<Value<'a>> {
        let length = self.varint()?;
        let available = self.rest.len();
        let is_cut = length > available as u64;
        let body = self.take(if is_cut { available } else { length as usize })?;
        Some(Value::Delimited { body, is_cut })
    }

    /// Skips to the end of a group. Counts instead of recursing, so that nesting costs no stack.
    fn skip_group(&mut self) -> Option<()> {
        let mut depth = 1_usize;
        while depth > 0 {
            match self.key()?.1 {
                0 => drop(self.varint()?),
                1 => drop(self.take(8)?),
                2 => {
                    if let Value::Delimited { is_cut: true, .. } = self.delimited()? {
                        return None;
                    }
                }
                3 => depth += 1,
                4 => depth -= 1,
                5 => drop(self.take(4)?),
                _ => return None,
            }
        }
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0_u64;
        for index in 0..10 {
            let byte = *self.rest.get(index)?;
            if index == 9 && byte > 1 {
                return None;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.rest = &self.rest[index + 1..];
                return Some(value);
            }
        }
        None
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}

/// Returns whether bytes are varints and nothing else.
pub(crate) fn holds_varints(bytes: &[u8]) -> bool {
    let mut walk = Walk::new(bytes);
    while !walk.rest.is_empty() {
        if walk.varint().is_none() {
            return false;
        }
    }
    true
}
