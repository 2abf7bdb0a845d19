"""What brings a database up to date, step by step; `sql/schema.sql` is their sum."""
