#![allow(clippy::unwrap_used, clippy::indexing_slicing)]
use std::path::Path;

use super::*;
use crate::contract::openapi;
use crate::product::{embedded_product, test_dialect};

/// A field of a response, of a request or a parameter, as a document has it.
fn field(way: &str, schema: &str) -> ApiField {
    let inside = schema.strip_prefix('{').and_then(|s| s.strip_suffix('}')).unwrap();
    let schema = format!("{{x-column: t.c, {inside}}}");
    let content = format!("{{content: {{json: {{schema: {{properties: {{f: {schema}}}}}}}}}}}");
    let text = match way {
        "shows" => format!("paths: {{/t: {{get: {{responses: {{200: {content}}}}}}}}}"),
        "takes" => format!("paths: {{/t: {{post: {{requestBody: {content}}}}}}}"),
        "changes" => format!("paths: {{/t: {{patch: {{requestBody: {content}}}}}}}"),
        "must" => format!(
            "paths: {{/t: {{post: {{requestBody: {}}}}}}}",
            content.replace("{properties", "{required: [f], properties")
        ),
        _ => format!("paths: {{/t: {{get: {{parameters: [{{name: f, in: query, schema: {schema}}}]}}}}}}"),
    };
    openapi::parse(&text, Path::new("api.yaml"), embedded_product().query_syntax()).unwrap().remove(0)
}

/// `integer not null default`, `enum(a b)`; empty: there is none.
fn given(column: &str) -> Option<Given> {
    let rest = column.strip_suffix(" default").unwrap_or(column);
    let plain = rest.strip_suffix(" not null").unwrap_or(rest);
    let labels =
        plain.strip_prefix("enum(").map(|l| l.trim_end_matches(')').split(' ').map(str::to_owned).collect());
    (!plain.is_empty()).then(|| Given {
        nullable: rest == plain,
        given_for_it: rest != column,
        labels,
        ..Given::of_type(plain, test_dialect().as_ref())
    })
}

/// Way, schema, column before, column after, what is said (`breaking`, `risky` or nothing).
const CASES: &[[&str; 5]] = &[
    // The column goes.
    ["shows", "{type: string}", "text", "", "breaking"],
    // Types.
    ["shows", "{type: integer}", "integer", "text", "breaking"],
    ["shows", "{type: string}", "text", "character varying(40)", ""],
    ["shows", "{type: string}", "text", "jsonb", "breaking"],
    ["shows", "{type: object}", "json", "jsonb", ""],
    ["shows", "{type: number}", "numeric(12,2)", "text", "breaking"],
    ["shows", "{type: number}", "numeric(12,2)", "numeric(14,2)", ""],
    ["shows", "{type: number}", "numeric(12,2)", "double precision", "risky"],
    ["shows", "{type: array}", "text[]", "text", "breaking"],
    ["shows", "{type: boolean}", "boolean", "integer", "breaking"],
    ["shows", "{}", "integer", "text", "breaking"],
    // Who knows what is in a domain.
    ["shows", "{type: string}", "text", "email", "risky"],
    // A document that was wrong before is told when what is sent changes.
    ["shows", "{type: string}", "integer", "bigint", "risky"],
    ["shows", "{type: string}", "integer", "integer", ""],
    // Formats.
    ["shows", "{type: integer, format: int32}", "integer", "bigint", "breaking"],
    ["shows", "{type: integer, format: int64}", "integer", "bigint", ""],
    ["shows", "{type: integer}", "integer", "bigint", "risky"],
    ["shows", "{type: number}", "integer", "bigint", ""],
    ["shows", "{type: string, format: uuid}", "uuid", "text", "breaking"],
    ["shows", "{type: string, format: date}", "date", "timestamp with time zone", "breaking"],
    [
        "shows",
        "{type: string, format: date-time}",
        "timestamp with time zone",
        "timestamp without time zone",
        "risky",
    ],
    [
        "shows",
        "{type: string, format: date-time}",
        "timestamp(3) with time zone",
        "timestamp with time zone",
        "",
    ],
    // NULL.
    ["shows", "{type: string}", "text not null", "text", "risky"],
    ["shows", "{type: [string, 'null']}", "text not null", "text", ""],
    ["shows", "{type: string, nullable: true}", "text not null", "text", ""],
    ["shows", "{oneOf: [{type: string}, {type: 'null'}]}", "text not null", "text", ""],
    ["shows", "{type: string}", "text", "text", ""],
    // Lengths.
    ["shows", "{type: string, maxLength: 40}", "character varying(40)", "character varying(80)", "risky"],
    ["shows", "{type: string, maxLength: 80}", "character varying(40)", "character varying(80)", ""],
    ["shows", "{type: string, maxLength: 80}", "character varying(40)", "text", "risky"],
    ["shows", "{type: string}", "character varying(40)", "text", ""],
    // Enums.
    ["shows", "{type: string, enum: [a, b]}", "enum(a b)", "enum(a b c)", "risky"],
    ["shows", "{type: string, enum: [a, b, c]}", "enum(a b)", "enum(a b c)", ""],
    ["shows", "{type: string}", "enum(a b)", "enum(a b c)", ""],
    ["shows", "{type: string, enum: [a, b]}", "enum(a b)", "text", "risky"],
    ["shows", "{type: string}", "text", "enum(a b)", ""],
    // Numbers.
    ["shows", "{type: integer, maximum: 40000}", "smallint", "integer", "risky"],
    ["shows", "{type: integer, maximum: 3000000000}", "smallint", "integer", ""],
    // What a request gives.
    ["must", "{type: string}", "text", "", "breaking"],
    ["must", "{type: integer, format: int64}", "bigint", "integer", "breaking"],
    ["must", "{type: integer, format: int32}", "bigint", "integer", ""],
    ["must", "{type: integer}", "bigint", "integer", "risky"],
    ["must", "{type: integer, maximum: 1000}", "bigint", "integer", ""],
    ["must", "{type: number}", "numeric(12,2)", "integer", "breaking"],
    ["must", "{type: integer}", "integer", "numeric(12,2)", ""],
    ["must", "{type: string}", "text", "uuid", "breaking"],
    ["must", "{type: string, format: uuid}", "text", "uuid", "risky"],
    ["must", "{type: string, maxLength: 80}", "character varying(80)", "character varying(40)", "breaking"],
    ["must", "{type: string, maxLength: 40}", "character varying(80)", "character varying(40)", ""],
    ["must", "{type: string}", "text", "character varying(40)", "risky"],
    ["must", "{type: string}", "character varying(40)", "text", ""],
    ["must", "{type: [string, 'null']}", "text", "text not null", "breaking"],
    ["must", "{type: string}", "text", "text not null", ""],
    ["takes", "{type: string}", "text", "text not null", "breaking"],
    ["takes", "{type: string}", "text", "text not null default", "risky"],
    ["takes", "{type: string, default: x}", "text", "text not null", ""],
    ["takes", "{type: string}", "text not null default", "text not null", "breaking"],
    // What it leaves out a PATCH leaves alone.
    ["changes", "{type: string}", "text", "text not null", ""],
    ["changes", "{type: string, nullable: true}", "text", "text not null", "breaking"],
    ["must", "{type: string, enum: [a, b]}", "enum(a b)", "enum(a c)", "breaking"],
    ["must", "{type: string, enum: [a]}", "enum(a b)", "enum(a c)", ""],
    ["must", "{type: string}", "enum(a b)", "enum(a)", "risky"],
    ["must", "{type: string, enum: [a, b]}", "text", "enum(a b)", ""],
    ["must", "{type: string}", "text", "enum(a b)", "breaking"],
    // A parameter is compared, not written.
    ["asks", "{type: string}", "text", "uuid", "breaking"],
    ["asks", "{type: string, maxLength: 80}", "character varying(80)", "character varying(40)", ""],
    ["asks", "{type: string}", "text", "text not null", ""],
    ["asks", "{type: string, enum: [a, b]}", "enum(a b)", "enum(a)", "breaking"],
];

#[test]
fn what_a_document_promises_and_a_column_does_not_keep() {
    let mut wrong = Vec::new();
    for case @ [way, schema, was, is, expected] in CASES {
        let field = field(way, schema);
        let found = newly_broken(&field, given(was).as_ref(), given(is).as_ref());
        let worst = match found.iter().map(|(kind, _)| *kind).max() {
            Some(Breaking) => "breaking",
            Some(Risky) => "risky",
            _ => "",
        };
        if worst != *expected || found.len() > 1 {
            wrong.push(format!("{case:?}: {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_it_says_is_a_sentence() {
    let field = field("shows", "{type: integer, format: int32}");
    let found = newly_broken(&field, given("integer").as_ref(), given("bigint").as_ref());
    let expected = "it is bigint instead of integer, and the document says integer (int32)";
    assert_eq!(found, [(Breaking, expected.to_owned())]);
}
