"""The REST API of lineage: routes by family, what they take and answer, and how they refuse. Makes no AWS call."""
