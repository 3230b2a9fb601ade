"""A SQL-on-FHIR ViewDefinition as a mapping: FHIRPath read, said in JMESPath where that can say it, refused where not.

`read_view` checks the document, `branches_of` lays its selects out as row sets, `Said` writes them in the grammar of
mappings, `rows_of` runs that over resources. Nothing here fetches, stores or writes files.
"""
