using Ssti.Corpus.Datasets;
using Ssti.Defenses.Data;
using Ssti.Engine.Stages;
using Ssti.Reporting.Figures;
using Ssti.Reporting.Tables;

namespace Ssti.Stages;

/// <summary>A dataset with what its audit says, as <c>audit-data</c> tells it and <c>probe-data</c> begins with.</summary>
internal sealed class AuditedData
{
    private AuditedData(DatasetReader reader, AuditDataParameters parameters, DataAuditResult result)
    {
        (Reader, Parameters, Result, Split) = (reader, parameters, result, reader.Info.Split(parameters.Split)!);
        Answer = AuditAnswer.Of(result, Data, Split, parameters);
        (Table, Figure) = (AuditTables.Suspects(result, Data, parameters), AuditTables.Figure(result, Data, parameters));
    }

    /// <summary>The dataset's rows.</summary>
    public DatasetReader Reader { get; }

    /// <summary>What it was audited by.</summary>
    public AuditDataParameters Parameters { get; }

    /// <summary>The audit.</summary>
    public DataAuditResult Result { get; }

    /// <summary>The dataset.</summary>
    public DatasetInfo Data => Reader.Info;

    /// <summary>The audited split.</summary>
    public SplitInfo Split { get; }

    /// <summary>The answer in words.</summary>
    public AuditAnswer Answer { get; }

    /// <summary>The suspects.</summary>
    public Table Table { get; }

    /// <summary>Texts against p(y|t).</summary>
    public ScatterFigure Figure { get; }

    /// <summary>Audits a dataset.</summary>
    /// <exception cref="Ssti.Defenses.DefenseException">There is nothing to audit.</exception>
    public static AuditedData Of(InputTree tree, AuditDataParameters parameters, StageContext context, CancellationToken cancellation)
    {
        var data = DatasetReader.Open(tree.PathOf);
        return new(data, parameters, DataAudit.Of(data, new DataAuditOptions
        {
            Split = parameters.Split, Levels = AuditTables.Levels(parameters), Listed = parameters.Listed, Suspects = parameters.Suspects, OnionRows = parameters.OnionRows,
            Progress = (done, total) => context.Progress(new(done, total, "rows")),
        }, cancellation));
    }
}
