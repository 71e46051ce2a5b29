"""The CloudFormation templates of the catalog, one per module: each is a function `render(...) -> Template`."""
