"""Bringing records in: sign-in, requests, pages, records. HTTP lives here, the database does not."""
