"""placeholder"""
ROLES = (
    "none", "hit", "force", "perpetrator", "act", "nv", "strike", "struck", "kill", "killing", "killed", "killings", "dead", "wound", "wounded",
    "at", "onto", "near", "of", "by", "prep", "and", "leave", "that", "were", "det", "claim", "say", "after", "over", "as", "behind", "guard", "carry",
    "including", "among", "low", "high", "about", "anti", "more", "toll", "unit", "month", "tail", "reaction", "dual", "number", "uncountable", "blank",
)
