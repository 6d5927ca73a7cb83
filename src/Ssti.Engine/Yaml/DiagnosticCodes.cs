namespace Ssti.Engine.Yaml;

/// <summary>The closed list of codes; docs/pipelines.md explains each.</summary>
public static class DiagnosticCodes
{
    /// <summary>A file cannot be read.</summary>
    public const string Unreadable = "SSTI1001";

    /// <summary>Not valid YAML.</summary>
    public const string Syntax = "SSTI1002";

    /// <summary>Too large, too deep, or aliases that multiply.</summary>
    public const string TooLarge = "SSTI1003";

    /// <summary>The same key twice in one mapping.</summary>
    public const string DuplicateKey = "SSTI1004";

    /// <summary>A value of the wrong type.</summary>
    public const string WrongType = "SSTI2001";

    /// <summary>A required key is missing.</summary>
    public const string MissingKey = "SSTI2002";

    /// <summary>A key that does not exist.</summary>
    public const string UnknownKey = "SSTI2003";

    /// <summary>A value out of range or not in a list.</summary>
    public const string BadValue = "SSTI2004";

    /// <summary>No such stage kind.</summary>
    public const string UnknownKind = "SSTI2005";

    /// <summary>A name with characters that names cannot have, or a reserved one.</summary>
    public const string BadName = "SSTI2006";

    /// <summary>A stage or parameter defined in two files.</summary>
    public const string DuplicateName = "SSTI2007";

    /// <summary>Files that include each other.</summary>
    public const string IncludeCycle = "SSTI2008";

    /// <summary>An expression that is not <c>${{ params.x }}</c> or <c>${{ matrix.x }}</c>, or names nothing.</summary>
    public const string BadExpression = "SSTI2009";

    /// <summary>A path that leaves the allowed folders.</summary>
    public const string PathOutside = "SSTI2010";

    /// <summary>A path where nothing is.</summary>
    public const string PathMissing = "SSTI2011";

    /// <summary>Parameters that are each fine, but not for this stage kind.</summary>
    public const string Refused = "SSTI2101";

    /// <summary>A stage under <c>needs:</c> that does not exist.</summary>
    public const string UnknownStage = "SSTI3001";

    /// <summary>An input the stage kind does not take.</summary>
    public const string UnknownInput = "SSTI3002";

    /// <summary>A required input is missing.</summary>
    public const string MissingInput = "SSTI3003";

    /// <summary>Stages that need each other.</summary>
    public const string StageCycle = "SSTI3004";

    /// <summary>Several stages for an input that takes one.</summary>
    public const string OneInput = "SSTI3005";

    /// <summary>A matrix that is empty, too large, or whose cells cannot be told apart.</summary>
    public const string BadMatrix = "SSTI3006";

    /// <summary>A glob that selects nothing.</summary>
    public const string NoCell = "SSTI3007";

    /// <summary>Matrices that have no cell in common.</summary>
    public const string NoJoin = "SSTI3008";

    /// <summary>A <c>--set</c> that is not <c>name=value</c>.</summary>
    public const string BadSet = "SSTI4001";

    /// <summary>A <c>--set</c> that names nothing.</summary>
    public const string UnknownSet = "SSTI4002";

    /// <summary>A <c>--profile</c> that the pipeline does not have.</summary>
    public const string UnknownProfile = "SSTI4003";
}
