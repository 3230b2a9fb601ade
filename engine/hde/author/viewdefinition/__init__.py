"""A SQL-on-FHIR ViewDefinition as a mapping: FHIRPath read, said in JMESPath where that can say it, refused where not.

`read_view` checks the document, `branches_of` lays its selects out as row sets, `say` says them in the grammar of
mappings, `to_table` fits that to a canonical table, `rows_of` runs it over resources. Nothing here
fetches, stores or writes files.
"""
