"""StackSets: what is deployed to which account and Region, compared instance by instance.

Two things are kept apart, as CloudFormation keeps them: the units to which a StackSet auto-deploys (pairs of unit and
Region), and the instances that there are. New pairs are deployed to the unit as a whole; what is then still missing,
outdated or too much is dealt with by naming the accounts.
"""
