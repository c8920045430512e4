"""Everything that is reached by URL: rate requests, webhooks, and what watches over the process."""
