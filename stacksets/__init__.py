"""What each account gets: CloudFormation templates and policies, rendered with Troposphere."""
