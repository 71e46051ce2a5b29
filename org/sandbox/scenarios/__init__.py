"""Stories of machine images, played in the sandbox by calls to AWS's API alone, under roles of the accounts."""
