//! What is kept counted: records by kind and state, and when each station was last heard of. Triggers keep
//! it (migration 005); here it is counted again, to check it and to build it anew.

use sqlx::SqliteConnection;

use crate::error::Result;

/// Each table with the query that gives what ought to be in it.
const COUNTED: [(&str, &str); 2] = [
    ("counted", "SELECT kind, open, state, severity, category, COUNT(*) FROM projection GROUP BY 1, 2, 3, 4, 5"),
    (
        "heard",
        "SELECT station, MAX(created_ms) FROM projection WHERE kind = 'incident' AND station IS NOT NULL GROUP BY station",
    ),
];

/// Counts everything anew.
pub(crate) async fn anew(at: &mut SqliteConnection) -> Result<()> {
    for (table, query) in COUNTED {
        for statement in [format!("DELETE FROM {table}"), format!("INSERT INTO {table} {query}")] {
            sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut *at).await?;
        }
    }
    Ok(())
}

/// The tables that say something else than what is counted now. A number that has become zero stays.
pub(crate) async fn wrong(at: &mut SqliteConnection) -> Result<Vec<&'static str>> {
    let mut wrong = Vec::new();
    for (table, query) in COUNTED {
        let kept = match table {
            "counted" => "SELECT * FROM counted WHERE records <> 0",
            _ => "SELECT * FROM heard",
        };
        let statement = format!(
            "SELECT (SELECT COUNT(*) FROM ({query} EXCEPT {kept})) + (SELECT COUNT(*) FROM ({kept} EXCEPT {query}))"
        );
        let (differ,): (i64,) = sqlx::query_as(sqlx::AssertSqlSafe(statement)).fetch_one(&mut *at).await?;
        if differ > 0 {
            wrong.push(table);
        }
    }
    Ok(wrong)
}
