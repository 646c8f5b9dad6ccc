"""Workers in processes of their own, on this machine: started once, kept warm, replaced when they die."""
