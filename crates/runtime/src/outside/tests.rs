//! Tests of streams and redirects, over servers of their own.
