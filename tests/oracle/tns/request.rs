//! Reads the calls about statements: execute, execute again, fetch.

use std::collections::HashMap;

use super::cursor::{Cursor, Direction, Slot};
use super::lob::Lobs;
use super::packet::{Broken, Result, Wire};
use super::read::text;
use super::sql::{StatementKind, kind, placeholders};
use super::value::Value;
use super::wire_type::Declared;

/// Options of an execute (crate `oracledb`, `constants.rs`, `TTC_EXEC_OPTION_*`).
const DEFINE: u64 = 0x10;
const EXECUTE: u64 = 0x20;
const FETCH: u64 = 0x40;
const COMMIT: u64 = 0x100;
/// The same of an execute of a known cursor, in its second word.
const COMMIT_AGAIN: u64 = 0x1;

const ROW_DATA: u8 = 7;
/// Binds that can be longer come after the others. The stand-in says that its strings have up to so many bytes.
const LONGEST_STRING: u64 = 32_767;

/// What a client wants of a statement.
#[derive(Debug)]
pub struct Execute {
    pub cursor: u64,
    /// Where the statement is new to the server.
    pub sql: Option<String>,
    pub execute: bool,
    /// How many rows to send along.
    pub fetch: Option<usize>,
    pub commit: bool,
    /// The client wants to know how many rows changed for each row of binds.
    pub counts: bool,
    /// The types in which the client wants the columns: LOBs as such or as LONG.
    pub define: Option<Vec<Declared>>,
    /// What the client says of binds, where it says it.
    pub slots: Option<Vec<Slot>>,
    /// How often the statement runs, and with which values.
    pub times: usize,
    pub rows: Vec<Vec<Value>>,
}

/// The whole call (crate `oracledb`, `messages/execute.rs`, `write_full_execute`). `is_ojdbc`: ojdbc sends the statement
/// without its length.
pub fn read_execute(
    from: &mut Wire,
    is_ojdbc: bool,
    lobs: &Lobs,
    cursors: &HashMap<u64, Cursor>,
) -> Result<Execute> {
    let options = from.ub()?;
    let cursor = from.ub()?;
    from.u8()?;
    let sql_size = from.size()?;
    from.u8()?;
    let settings_count = from.size()?;
    from.take(2)?;
    from.ub()?; // size of the buffer for prefetched rows
    let prefetch = from.size()?;
    from.ub()?; // longest LONG
    from.u8()?;
    let bind_count = from.size()?;
    from.take(5)?;
    from.u8()?;
    let define_count = from.size()?;
    from.ub()?; // registration
    from.take(3)?;
    from.ub()?;
    from.u8()?;
    from.ub()?;
    from.ub()?; // registration
    let counts = from.u8()? != 0;
    from.ub()?;
    from.u8()?;
    from.u8()?; // from here since 12.2
    from.ub()?;
    from.u8()?;
    from.ub()?;
    from.u8()?;
    from.u8()?;
    from.ub()?;
    let sql = match (sql_size, is_ojdbc) {
        (0, _) => None,
        (size, true) => Some(text(&from.raw(size)?)),
        (_, false) => Some(text(&from.chunked()?)),
    };
    let mut settings = Vec::new();
    for _ in 0..settings_count {
        settings.push(from.ub()?);
    }
    let statement = match (&sql, cursors.get(&cursor)) {
        (Some(sql), _) => sql.as_str(),
        (None, Some(known)) => known.sql.as_str(),
        (None, None) => return Err(Broken::Malformed(format!("cursor {cursor} is not open"))),
    };
    let define = if options & DEFINE != 0 {
        let columns = (0..define_count).map(|_| Declared::read(from, is_ojdbc));
        Some(columns.collect::<Result<Vec<_>>>()?)
    } else {
        None
    };
    let slots = if bind_count > 0 { Some(read_slots(from, is_ojdbc, statement, bind_count)?) } else { None };
    let times = match (kind(statement), settings.get(1)) {
        (StatementKind::Query, _) | (_, None) => 1,
        (_, Some(times)) => usize::try_from(*times).unwrap_or(1).clamp(1, 1 << 20),
    };
    // ojdbc says nothing of binds that it has described before, and sends their values.
    let described = match (&slots, cursors.get(&cursor)) {
        (Some(slots), _) => slots.as_slice(),
        (None, Some(known)) if sql.is_none() && options & EXECUTE != 0 => known.slots.as_slice(),
        (None, _) => &[],
    };
    let rows = read_rows(from, described, times, kind(statement), lobs)?;
    Ok(Execute {
        cursor,
        sql,
        execute: options & EXECUTE != 0,
        fetch: (options & FETCH != 0).then_some(prefetch),
        commit: options & COMMIT != 0,
        counts,
        define,
        slots,
        times,
        rows,
    })
}

/// The short call, for a cursor whose binds have the types that they had (crate `oracledb`, `write_reexecute`).
pub fn read_again(
    from: &mut Wire,
    fetches: bool,
    lobs: &Lobs,
    cursors: &HashMap<u64, Cursor>,
) -> Result<Execute> {
    let number = from.ub()?;
    let count = from.size()?;
    from.ub()?;
    let options = from.ub()?;
    let Some(cursor) = cursors.get(&number) else {
        return Err(Broken::Malformed(format!("cursor {number} is not open")));
    };
    let kind = kind(&cursor.sql);
    let times = if fetches || kind == StatementKind::Query { 1 } else { count.max(1) };
    let rows = read_rows(from, &cursor.slots, times, kind, lobs)?;
    Ok(Execute {
        cursor: number,
        sql: None,
        execute: true,
        fetch: fetches.then_some(count),
        commit: options & COMMIT_AGAIN != 0,
        counts: false,
        define: None,
        slots: None,
        times,
        rows,
    })
}

fn read_slots(from: &mut Wire, is_ojdbc: bool, sql: &str, count: usize) -> Result<Vec<Slot>> {
    let placeholders = placeholders(sql);
    let mut slots = Vec::new();
    for at in 0..count {
        let declared = Declared::read(from, is_ojdbc)?;
        let known = if placeholders.len() == count { placeholders.get(at) } else { None };
        let returned = known.is_some_and(|placeholder| placeholder.returned);
        slots.push(Slot { declared, direction: if returned { Direction::Returned } else { Direction::In } });
    }
    Ok(slots)
}

/// Rows of values. There is none for what only comes back.
fn read_rows(
    from: &mut Wire,
    slots: &[Slot],
    times: usize,
    kind: StatementKind,
    lobs: &Lobs,
) -> Result<Vec<Vec<Value>>> {
    let sent: Vec<(usize, &Slot)> =
        slots.iter().filter(|slot| slot.direction != Direction::Returned).enumerate().collect();
    if sent.is_empty() {
        return Ok(Vec::new());
    }
    let is_late = |slot: &Slot| {
        kind != StatementKind::PlSql && slot.declared.size > LONGEST_STRING && !first_class(slot)
    };
    let mut rows = Vec::new();
    for _ in 0..times {
        match from.u8()? {
            ROW_DATA => {}
            other => return Err(Broken::Malformed(format!("message {other} in the place of binds"))),
        }
        let mut row = vec![Value::Null; sent.len()];
        for late in [false, true] {
            for (at, slot) in sent.iter().filter(|(_, slot)| is_late(slot) == late) {
                if let Some(place) = row.get_mut(*at) {
                    *place = Value::read(slot.declared.wire_type, lobs, from)?;
                }
            }
        }
        rows.push(row);
    }
    Ok(rows)
}

/// LOBs are sent as locators, however long they are.
fn first_class(slot: &Slot) -> bool {
    slot.declared.wire_type.is_lob()
}
