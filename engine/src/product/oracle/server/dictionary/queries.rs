//! The queries over the server's views. Each begins with its name in a comment, so that it is found in `V$SQL`.
//!
//! A LONG (defaults, expressions of indexes, texts of views) is in a query without joins and without an order of its own: elsewhere Oracle
//! may refuse it (ORA-00997). Source: Database Reference 19c, "Static Data Dictionary Views".

/// A query and its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    pub name: &'static str,
    text: &'static str,
}

/// The schemas that are read.
const USERS: &str = "(SELECT u.username FROM all_users u WHERE u.oracle_maintained = 'N' \
                     UNION ALL SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') FROM dual)";

impl Named {
    pub const fn new(name: &'static str, text: &'static str) -> Self {
        Self { name, text }
    }

    pub fn sql(self) -> String {
        format!("/* drydock {} */ {}", self.name, self.text.replace("{users}", USERS))
    }
}

pub const ENVIRONMENT: Named = Named::new(
    "environment",
    "SELECT SYS_CONTEXT('USERENV', 'CURRENT_SCHEMA') AS current_schema,
       (SELECT p.value FROM nls_session_parameters p WHERE p.parameter = 'NLS_LENGTH_SEMANTICS') AS length_semantics
     FROM dual",
);

/// Tables that belong to something else are left out: those of nested columns, of domain indexes, of materialized views and their logs, the
/// parts of index-organized tables that hold what does not fit, and those in the recycle bin.
pub const TABLES: Named = Named::new(
    "tables",
    "SELECT t.owner, t.table_name, t.num_rows, t.avg_row_len, t.partitioned, t.temporary, t.iot_type, t.external, t.read_only,
       c.comments
     FROM all_tables t
     LEFT JOIN all_tab_comments c ON c.owner = t.owner AND c.table_name = t.table_name AND c.table_type = 'TABLE'
     WHERE t.owner IN {users} AND t.nested = 'NO' AND t.secondary = 'N' AND t.dropped = 'NO'
       AND (t.iot_type IS NULL OR t.iot_type = 'IOT')
       AND NOT EXISTS (SELECT 1 FROM all_mviews m
         WHERE m.owner = t.owner AND m.container_name = t.table_name AND m.build_mode <> 'PREBUILT')
       AND NOT EXISTS (SELECT 1 FROM all_mview_logs l WHERE l.log_owner = t.owner AND l.log_table = t.table_name)",
);

pub const VIEWS: Named = Named::new(
    "views",
    "SELECT v.owner, v.view_name, v.read_only, v.editioning_view, v.text FROM all_views v WHERE v.owner IN {users}",
);

pub const MATERIALIZED_VIEWS: Named = Named::new(
    "materialized views",
    "SELECT m.owner, m.mview_name, m.query FROM all_mviews m WHERE m.owner IN {users}",
);

/// Also those of views, in the order in which a `*` gives them.
pub const COLUMNS: Named = Named::new(
    "columns",
    "SELECT c.owner, c.table_name, c.column_name, c.data_type, c.data_type_owner, c.data_length, c.data_precision, c.data_scale,
       c.char_length, c.char_used, c.nullable, c.hidden_column, c.user_generated, c.virtual_column, c.default_on_null,
       i.generation_type, e.encryption_alg, m.comments
     FROM all_tab_cols c
     LEFT JOIN all_tab_identity_cols i
       ON i.owner = c.owner AND i.table_name = c.table_name AND i.column_name = c.column_name
     LEFT JOIN all_encrypted_columns e
       ON e.owner = c.owner AND e.table_name = c.table_name AND e.column_name = c.column_name
     LEFT JOIN all_col_comments m
       ON m.owner = c.owner AND m.table_name = c.table_name AND m.column_name = c.column_name
     WHERE c.owner IN {users}
     ORDER BY c.owner, c.table_name, c.column_id NULLS LAST, c.internal_column_id",
);

pub const COLUMN_DEFAULTS: Named = Named::new(
    "column defaults",
    "SELECT c.owner, c.table_name, c.column_name, c.data_default FROM all_tab_cols c
     WHERE c.owner IN {users} AND c.default_length > 0",
);

pub const CONSTRAINTS: Named = Named::new(
    "constraints",
    "SELECT c.owner, c.table_name, c.constraint_name, c.constraint_type, c.search_condition_vc, c.r_owner, c.r_constraint_name,
       r.table_name AS r_table_name, c.delete_rule, c.status, c.validated, c.deferrable, c.generated, c.index_owner, c.index_name
     FROM all_constraints c
     LEFT JOIN all_constraints r ON r.owner = c.r_owner AND r.constraint_name = c.r_constraint_name
     WHERE c.owner IN {users} AND c.constraint_type IN ('P', 'U', 'R', 'C')
     ORDER BY c.owner, c.table_name, c.constraint_name",
);

/// Also those of keys that foreign keys refer to and whose schema is not read.
pub const CONSTRAINT_COLUMNS: Named = Named::new(
    "constraint columns",
    "SELECT c.owner, c.constraint_name, c.column_name FROM all_cons_columns c
     WHERE c.owner IN {users} OR (c.owner, c.constraint_name) IN
       (SELECT f.r_owner, f.r_constraint_name FROM all_constraints f WHERE f.owner IN {users} AND f.constraint_type = 'R')
     ORDER BY c.owner, c.constraint_name, c.position NULLS LAST, c.column_name",
);

/// Tables whose changes are logged for others.
pub const LOG_GROUPS: Named = Named::new(
    "log groups",
    "SELECT DISTINCT g.owner, g.table_name FROM all_log_groups g WHERE g.owner IN {users}",
);

pub const INDEXES: Named = Named::new(
    "indexes",
    "SELECT i.owner, i.index_name, i.table_owner, i.table_name, i.index_type, i.uniqueness, i.visibility, i.status, p.locality
     FROM all_indexes i LEFT JOIN all_part_indexes p ON p.owner = i.owner AND p.index_name = i.index_name
     WHERE i.table_owner IN {users} AND i.table_type = 'TABLE' AND i.index_type <> 'LOB' AND i.secondary = 'N' AND i.dropped = 'NO'",
);

pub const INDEX_COLUMNS: Named = Named::new(
    "index columns",
    "SELECT c.index_owner, c.index_name, c.column_name, c.column_position FROM all_ind_columns c WHERE c.table_owner IN {users}
     ORDER BY c.index_owner, c.index_name, c.column_position",
);

pub const INDEX_EXPRESSIONS: Named = Named::new(
    "index expressions",
    "SELECT e.index_owner, e.index_name, e.column_position, e.column_expression FROM all_ind_expressions e
     WHERE e.table_owner IN {users}",
);

/// Those of identity columns are left out: nobody names them.
pub const SEQUENCES: Named = Named::new(
    "sequences",
    "SELECT s.sequence_owner, s.sequence_name, s.min_value, s.max_value, s.increment_by, s.cycle_flag, s.order_flag, s.cache_size
     FROM all_sequences s WHERE s.sequence_owner IN {users} AND s.sequence_name NOT LIKE 'ISEQ$$~_%' ESCAPE '~'",
);

pub const SYNONYMS: Named = Named::new(
    "synonyms",
    "SELECT s.owner, s.synonym_name, s.table_owner, s.table_name FROM all_synonyms s
     WHERE s.db_link IS NULL AND s.table_owner IS NOT NULL
       AND (s.owner IN {users} OR s.owner = 'PUBLIC' AND s.table_owner IN {users})",
);

pub const SOURCE: Named = Named::new(
    "source",
    "SELECT s.owner, s.name, s.type, s.text FROM all_source s
     WHERE s.owner IN {users}
       AND s.type IN ('PROCEDURE', 'FUNCTION', 'PACKAGE', 'PACKAGE BODY', 'TYPE', 'TYPE BODY', 'TRIGGER')
     ORDER BY s.owner, s.name, s.type, s.line",
);

pub const TRIGGERS: Named = Named::new(
    "triggers",
    "SELECT t.owner, t.trigger_name, t.table_owner, t.table_name, t.triggering_event, t.trigger_type, t.status FROM all_triggers t
     WHERE t.owner IN {users} AND t.base_object_type IN ('TABLE', 'VIEW')",
);

/// Of an update: the columns that it is limited to.
pub const TRIGGER_COLUMNS: Named = Named::new(
    "trigger columns",
    "SELECT c.trigger_owner, c.trigger_name, c.column_name FROM all_trigger_cols c
     WHERE c.trigger_owner IN {users} AND c.column_list = 'YES' ORDER BY c.trigger_owner, c.trigger_name, c.column_name",
);

pub const GRANTS: Named = Named::new(
    "grants",
    "SELECT p.table_schema, p.table_name, p.grantee, p.privilege FROM all_tab_privs p WHERE p.table_schema IN {users}",
);

pub const OBJECTS: Named = Named::new(
    "objects",
    "SELECT o.owner, o.object_name, o.object_type, o.object_id FROM all_objects o
     WHERE o.owner IN {users} AND o.subobject_name IS NULL AND o.object_type IN ('TABLE', 'VIEW', 'MATERIALIZED VIEW', 'INDEX',
       'SEQUENCE', 'PROCEDURE', 'FUNCTION', 'PACKAGE', 'TYPE', 'TRIGGER')",
);

/// What is made of what, by the server's own record: without columns.
pub const DEPENDENCIES: Named = Named::new(
    "dependencies",
    "SELECT d.owner, d.name, d.type, d.referenced_owner, d.referenced_name FROM all_dependencies d
     WHERE d.owner IN {users} AND d.referenced_owner IN {users} AND d.referenced_link_name IS NULL",
);

/// How many arguments routines take. A result has position 0.
pub const SIGNATURES: Named = Named::new(
    "signatures",
    "SELECT p.owner, p.object_name, p.procedure_name, p.subprogram_id, COUNT(a.position) AS most,
       COUNT(CASE WHEN a.defaulted = 'N' THEN 1 END) AS least
     FROM all_procedures p LEFT JOIN all_arguments a
       ON a.object_id = p.object_id AND a.subprogram_id = p.subprogram_id AND a.data_level = 0 AND a.position > 0
     WHERE p.owner IN {users} AND p.subprogram_id > 0
     GROUP BY p.owner, p.object_name, p.procedure_name, p.subprogram_id",
);

/// All of them.
#[cfg(test)]
pub const ALL: &[Named] = &[
    ENVIRONMENT,
    TABLES,
    VIEWS,
    MATERIALIZED_VIEWS,
    COLUMNS,
    COLUMN_DEFAULTS,
    CONSTRAINTS,
    CONSTRAINT_COLUMNS,
    LOG_GROUPS,
    INDEXES,
    INDEX_COLUMNS,
    INDEX_EXPRESSIONS,
    SEQUENCES,
    SYNONYMS,
    SOURCE,
    TRIGGERS,
    TRIGGER_COLUMNS,
    GRANTS,
    OBJECTS,
    DEPENDENCIES,
    SIGNATURES,
];

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::model::catalog::Catalog;
    use crate::product::oracle::grammar::{self, Context};

    #[test]
    fn each_is_one_query_with_its_name_in_front_and_reads_views_of_everybody_alone() {
        for named in ALL {
            let sql = named.sql();
            assert!(sql.starts_with(&format!("/* drydock {} */ SELECT ", named.name)), "{sql}");
            assert!(!sql.contains('{'), "{sql}");
            for version in ["19c", "21c", "23ai"] {
                let pieces = grammar::pieces(&sql, &Context::new(version, &Catalog::default())).unwrap();
                let [piece] = pieces.as_slice() else {
                    panic!("{}: {} statements", named.name, pieces.len())
                };
                assert_eq!(piece.read.as_ref().unwrap().kind, "select", "{}", named.name);
                let reads = &piece.read.as_ref().unwrap().relations;
                for relation in reads {
                    let bare = relation.rsplit('.').next().unwrap_or(relation).to_uppercase();
                    assert!(
                        bare.starts_with("ALL_")
                            || ["DUAL", "NLS_SESSION_PARAMETERS"].contains(&bare.as_str()),
                        "{}: {relation}",
                        named.name
                    );
                }
            }
        }
    }

    #[test]
    fn a_long_is_asked_for_without_joins_and_order() {
        for (named, long) in [
            (VIEWS, "v.text"),
            (MATERIALIZED_VIEWS, "m.query"),
            (COLUMN_DEFAULTS, "c.data_default"),
            (INDEX_EXPRESSIONS, "e.column_expression"),
        ] {
            assert!(named.text.contains(long), "{}", named.name);
            assert!(!named.text.contains("JOIN") && !named.text.contains("ORDER BY"), "{}", named.name);
        }
    }
}
