//! NUMBER: a sign with an exponent of 100, then digits of base 100. Kept as decimal text, so that no digit is lost.
//! (Crate `oracledb`, `ora_type/number.rs`.)

/// What the wire carries for a decimal text. `None` for a text that is no number.
pub fn encode(text: &str) -> Option<Vec<u8>> {
    let (negative, mut digits, mut point) = parse(text)?;
    if digits.is_empty() {
        return Some(vec![0x80]);
    }
    if point.rem_euclid(2) == 1 {
        digits.insert(0, 0);
        point += 1;
    }
    if digits.len() % 2 == 1 {
        digits.push(0);
    }
    let exponent = u8::try_from(192 + point / 2).ok().filter(|byte| *byte >= 0x80)?;
    let pairs: Vec<u8> =
        digits.chunks(2).take(20).map(|pair| pair.iter().fold(0, |sum, digit| sum * 10 + digit)).collect();
    let mut bytes = vec![if negative { !exponent } else { exponent }];
    bytes.extend(pairs.iter().map(|pair| if negative { 101 - pair } else { pair + 1 }));
    if negative && pairs.len() < 20 {
        bytes.push(102);
    }
    Some(bytes)
}

/// The digits without zeros at either end, and where the point is: before that many of them.
fn parse(text: &str) -> Option<(bool, Vec<u8>, i32)> {
    let text = text.trim();
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (text, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let leading = all.bytes().take_while(|byte| *byte == b'0').count();
    let digits: Vec<u8> =
        all.trim_start_matches('0').trim_end_matches('0').bytes().map(|byte| byte - b'0').collect();
    let point = i32::try_from(whole.len()).ok()? - i32::try_from(leading).ok()? + exponent;
    Some((negative && !digits.is_empty(), digits, point))
}

/// The decimal text of what the wire carries, without an exponent.
pub fn decode(bytes: &[u8]) -> Option<String> {
    let (&first, rest) = bytes.split_first()?;
    if first == 0x80 {
        return Some("0".into());
    }
    let negative = first & 0x80 == 0;
    let exponent = i32::from(if negative { !first } else { first }) - 192;
    let rest = if negative { rest.strip_suffix(&[102]).unwrap_or(rest) } else { rest };
    let mut digits = String::new();
    for byte in rest {
        let pair = if negative { 101u8.checked_sub(*byte)? } else { byte.checked_sub(1)? };
        digits.push_str(&format!("{pair:02}"));
    }
    let point = exponent * 2;
    let plain = match usize::try_from(point) {
        Ok(point) if point >= digits.len() => format!("{digits}{}", "0".repeat(point - digits.len())),
        Ok(point) => format!("{}.{}", digits.get(..point)?, digits.get(point..)?),
        Err(_) => format!("0.{}{digits}", "0".repeat(usize::try_from(-point).ok()?)),
    };
    let plain = if plain.contains('.') { plain.trim_end_matches('0').trim_end_matches('.') } else { &plain };
    let plain = plain.trim_start_matches('0');
    let plain =
        if plain.is_empty() || plain.starts_with('.') { format!("0{plain}") } else { plain.to_owned() };
    Some(if negative { format!("-{plain}") } else { plain })
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    /// The first three are Oracle's own examples of DUMP; the rest go there and back.
    #[test]
    fn numbers_are_encoded_as_the_manual_shows() {
        assert_eq!(encode("123"), Some(vec![194, 2, 24]));
        assert_eq!(encode("-7"), Some(vec![62, 94, 102]));
        assert_eq!(encode("0"), Some(vec![128]));
        assert_eq!(encode("0.01"), Some(vec![192, 2]));
        assert_eq!(encode("x"), None);
    }

    #[test]
    fn numbers_come_back() {
        let longest = "9".repeat(38);
        let small = format!("0.{}12", "0".repeat(60));
        let large = format!("12{}", "0".repeat(100));
        for text in [
            "0", "1", "-1", "10", "100", "0.5", "-0.05", "12.5", "-12.5", "1234567", &longest, &small, &large,
        ] {
            assert_eq!(encode(text).and_then(|bytes| decode(&bytes)).as_deref(), Some(text));
        }
        assert_eq!(encode("-1.50e3").and_then(|bytes| decode(&bytes)).as_deref(), Some("-1500"));
        assert_eq!(encode("-0").and_then(|bytes| decode(&bytes)).as_deref(), Some("0"));
    }
}
