"""Security Hub CSPM of an account and Region: findings, insights, custom actions."""
